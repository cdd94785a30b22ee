// The page: shows one verification. Everything visible follows from `state` in `render()`. Handlers only change
// `state` or call the backend; what the backend stores comes back through `follow()`.

import { Backend } from "./backend.js";
import { follow } from "./follow.js";
import { Sandbox } from "./sandbox.js";
import { journalText, kindText, outcomeOf, statusOf, words } from "./texts.js";

const MAX_BYTES = 5 * 1024 * 1024;
const PICTURES = ["image/jpeg", "image/png"];

const config = await (await fetch("/config.json")).json();
const backend = new Backend(config);
const sandbox = config.sandbox_url ? new Sandbox(config.sandbox_url) : null;

const state = {
  ready: false, // whether the page knows if there is a verification to continue
  verification: null, // the newest known record
  sessions: new Map(), // liveness sessions by id
  finished: new Set(), // ids of sessions whose challenge the person finished
  submitted: { document: null, device: null }, // when each was last submitted, as PocketBase writes timestamps
  deviceInProgress: false,
  attemptSince: "", // when the current attempt began
  reasons: null, // with messages, once the facade has sent them
  live: false,
};
let stopFollowing = () => {};

// ---------------------------------------------------------------------------------------------------------------
// Events

on("sign-in", "submit", async (form) => {
  await backend.signIn(form.get("email"), form.get("password"));
  await resume();
});

on("details", "submit", async (form) => {
  await show(await backend.start(Object.fromEntries(form)));
});

on("document", "submit", async (form, element) => {
  const { declared_document_type: type, declared_country: country, id } = state.verification;
  const [front, back] = ["front", "back"].map((side) => usable(form.get(side)));
  if (!front) throw new Error("Please choose a picture of the front first.");
  const record = await backend.submitDocument(id, { type, country, front, back });
  state.submitted.document = record.created;
  element.reset();
  preview();
});

on("liveness-start", "click", async () => onSession(await backend.requestChallenge(state.verification.id)));

on("liveness-done", "click", async () => {
  const session = currentSession();
  await backend.reportFinished(state.verification.id, session.id);
  state.finished.add(session.id);
});

on("cancel", "click", async () => {
  if (confirm("Cancel this verification? You cannot continue it afterwards.")) await backend.cancel(state.verification.id);
});

on("again", "click", async () => {
  forget();
  if (sandbox) fillIn();
});

on("sign-out", "click", async () => {
  backend.signOut();
  forget();
});

on("specimen-draw", "click", async () => {
  const declared = state.verification;
  const [person, flaw] = ["specimen-person", "specimen-flaw"].map((id) => byId(id).value);
  const choice = {
    type: declared.declared_document_type,
    name: declared.declared_name,
    birth: declared.declared_date_of_birth,
    number: declared.declared_document_number,
    person,
    flaw,
  };
  const sides = hasBack(declared) ? ["front", "back"] : ["front"];
  const pictures = await Promise.all(sides.map((side) => sandbox.specimen(side, choice)));
  sides.forEach((side, index) => put(byId("document").elements[side], pictures[index]));
  preview();
});

byId("document").addEventListener("change", preview);

/** The challenge's page reports when the person has finished; the button is for a page that cannot. */
window.addEventListener("message", ({ origin, data }) => {
  const fromSandbox = sandbox && origin === new URL(sandbox.url).origin;
  const completed = data?.type === "liveness_completed" && data.session_id === currentSession()?.session_id;
  if (fromSandbox && completed) byId("liveness-done").click();
});

/** Continues the newest verification of the signed-in person, or starts with their details. */
async function resume() {
  await backend.resume();
  const newest = backend.user && (await backend.newest());
  if (newest && !newest.final) await show(newest);
  state.ready = true;
  render();
}

/** Shows a verification and follows its changes. */
async function show(verification) {
  forget();
  state.verification = verification;
  const { documents, devices, finished } = await backend.submissions(verification.id);
  state.submitted.document = documents.at(-1)?.created ?? null;
  state.submitted.device = devices.at(-1)?.created ?? null;
  state.finished = new Set(finished);
  stopFollowing = await follow(backend.pb, verification.id, {
    onRecord,
    onSession,
    onRow,
    onConnection: (live) => {
      state.live = live;
      render();
    },
  });
}

function forget() {
  stopFollowing();
  stopFollowing = () => {};
  Object.assign(state, { verification: null, attemptSince: "", reasons: null, live: false });
  Object.assign(state, { sessions: new Map(), finished: new Set(), submitted: { document: null, device: null } });
  byId("journal").replaceChildren();
  render();
}

function onRecord(record) {
  state.verification = record;
  if (needs("device")) submitDevice();
  if (record.reasons?.length) loadReasons();
  else state.reasons = null;
  render();
}

function onSession(session) {
  const known = state.sessions.get(session.id);
  if (!known || known.updated <= session.updated) state.sessions.set(session.id, session);
  render();
}

function onRow(row) {
  if (row.event === "decided") state.attemptSince = row.created;
  const { text, tone } = journalText(row);
  const item = make("li", { textContent: text });
  Object.assign(item.dataset, { seq: row.seq, event: row.event, created: row.created, shown: new Date().toISOString() });
  if (tone) item.dataset.tone = tone;
  item.append(make("time", { textContent: instant(row.created).toLocaleTimeString(), dateTime: row.created }));
  byId("journal").append(item);
  render();
}

/** The person is not asked for the device event: it is created and submitted as soon as it is needed. */
async function submitDevice() {
  if (state.deviceInProgress) return;
  state.deviceInProgress = true;
  const { id } = state.verification;
  await attempt(async () => {
    const record = await backend.submitDevice(id, await sandbox.deviceEvent(id));
    if (state.verification?.id === id) state.submitted.device = record.created;
  });
  state.deviceInProgress = false;
}

async function loadReasons() {
  const { id, version } = state.verification;
  const reasons = await backend.reasons(id).catch(() => null);
  if (state.verification?.id !== id || state.verification.version !== version) return;
  state.reasons = reasons;
  render();
}

// ---------------------------------------------------------------------------------------------------------------
// Derived state

/** Whether this input is needed: the service asks for it, and none was submitted since the attempt began. */
function needs(kind) {
  const { next } = state.verification;
  return Boolean(next?.includes(kind)) && !(state.submitted[kind] > state.attemptSince);
}

/** Whether the declared document is a card. */
function hasBack({ declared_document_type: type }) {
  return type !== "passport";
}

function currentSession() {
  const newest = [...state.sessions.values()].sort((a, b) => a.created.localeCompare(b.created)).at(-1);
  return newest?.created > state.attemptSince ? newest : undefined;
}

/** The panel to show. */
function panel() {
  if (!state.ready) return "loading";
  if (!backend.user) return "sign-in";
  if (!state.verification) return "details";
  const { status, final } = state.verification;
  if (final || status === "needs_review") return "outcome";
  if (needs("document")) return "document";
  if (state.verification.next?.includes("liveness") && !state.finished.has(currentSession()?.id)) return "liveness";
  return "working";
}

/** "begin", "wait" (the session is being opened) or "challenge". */
function livenessStage() {
  const session = currentSession();
  if (!session || ["failed", "expired", "refused"].includes(session.status)) return "begin";
  return session.session_id ? "challenge" : "wait";
}

// ---------------------------------------------------------------------------------------------------------------
// Rendering

const PANELS = ["loading", "sign-in", "details", "document", "liveness", "working", "outcome"];
const CHECKS = ["device", "document", "liveness", "face_match"];
const STEPS = ["sign-in", "details", "document", "liveness", "outcome"];
let shownPanel = null;

function render() {
  const current = panel();
  for (const name of PANELS) byId(`panel-${name}`).hidden = name !== current;
  renderSteps(current);
  renderConnection();
  if (state.verification) renderVerification(current);
  byId("sign-out").hidden = !backend.user;
  byId("cancel").hidden = !state.verification || state.verification.final;
  renderReasons(current);
  byId("journal-empty").hidden = byId("journal").childElementCount > 0;
  byId("results").hidden = !state.verification;
  // Move the focus of the keyboard and of a screen reader to the new step.
  if (shownPanel !== null && shownPanel !== current) {
    byId("problem").hidden = true;
    byId(`panel-${current}`).querySelector("h1").focus();
  }
  shownPanel = current;
}

function renderSteps(current) {
  const at = STEPS.indexOf(current === "working" ? "outcome" : current === "loading" ? "sign-in" : current);
  for (const item of byId("steps").children) {
    const index = STEPS.indexOf(item.dataset.step);
    item.toggleAttribute("aria-current", index === at);
    if (index === at) item.setAttribute("aria-current", "step");
    const over = index < at || (current === "outcome" && index === at);
    item.dataset.state = over ? "done" : "";
  }
}

function renderConnection() {
  const connection = byId("connection");
  const [name, text] = !state.verification ? ["off", "not connected"] : state.live ? ["live", "live"] : ["lost", "reconnecting"];
  connection.dataset.state = name;
  if (connection.textContent !== text) connection.textContent = text;
}

function renderVerification(current) {
  const { verification } = state;
  byId("panel-outcome").dataset.status = verification.status;
  if (current === "outcome") renderOutcome(verification);
  if (current === "liveness") renderLiveness();
  byId("back-side").hidden = !hasBack(verification);
  byId("document").elements.back.required = hasBack(verification);
  byId("results").replaceChildren(
    ...CHECKS.filter((kind) => verification.results?.[kind]).map((kind) => {
      const { text, tone } = outcomeOf(verification.results[kind]);
      const item = make("li", { textContent: `${kindText(kind)}: ${text}` });
      item.dataset.tone = tone;
      return item;
    }),
  );
}

/** Shows the reasons below the outcome, or above the step that the person must repeat. */
function renderReasons(current) {
  const reasons = state.reasons ?? state.verification?.reasons ?? [];
  byId("reasons").hidden = reasons.length === 0;
  byId("reason-list").replaceChildren(
    ...reasons.map(({ code, message }) => make("li", { textContent: message ?? words(code) })),
  );
  const place = byId(current === "outcome" ? "outcome-text" : "problem");
  if (place.nextElementSibling !== byId("reasons")) place.after(byId("reasons"));
}

function renderOutcome({ status, verified_until: until }) {
  const { mark, tone, title, text } = statusOf(status);
  byId("outcome-mark").textContent = mark;
  byId("outcome-mark").dataset.tone = tone;
  byId("outcome-title").textContent = title;
  const date = until && instant(until).toLocaleDateString(undefined, { dateStyle: "long" });
  byId("outcome-text").textContent = date && status === "approved" ? `${text} It is valid until ${date}.` : text;
  byId("again").hidden = status === "needs_review";
}

function renderLiveness() {
  const stage = livenessStage();
  for (const name of ["begin", "wait", "challenge"]) byId(`liveness-${name}`).hidden = name !== stage;
  const frame = byId("challenge");
  const url = stage === "challenge" && sandbox ? sandbox.challengeUrl(currentSession().session_id, byId("specimen-person").value) : null;
  // Setting the same address again would restart the challenge.
  if (url && frame.src !== url) frame.src = url;
  if (!url && frame.hasAttribute("src")) frame.removeAttribute("src");
}

function preview() {
  for (const side of ["front", "back"]) {
    const image = byId(`${side}-preview`);
    const file = byId("document").elements[side].files[0];
    URL.revokeObjectURL(image.src);
    image.hidden = !file;
    if (file) image.src = URL.createObjectURL(file);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Helpers

function byId(id) {
  return document.getElementById(id);
}

function make(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

/** Parses a timestamp of PocketBase: it has a space where JavaScript needs a `T`. */
function instant(text) {
  return new Date(text.replace(" ", "T"));
}

/** Runs `handler` on an event. The button is disabled meanwhile, and an error is shown to the person. */
function on(id, type, handler) {
  const element = byId(id);
  element.addEventListener(type, async (event) => {
    event.preventDefault();
    const button = element.matches("form") ? element.querySelector("button.primary") : element;
    button.disabled = true;
    await attempt(() => handler(element.matches("form") && new FormData(element), element));
    button.disabled = false;
    render();
  });
}

async function attempt(action) {
  const problem = byId("problem");
  problem.hidden = true;
  try {
    await action();
  } catch (error) {
    console.error(error);
    problem.textContent = explain(error);
    problem.hidden = false;
  }
}

function explain(error) {
  if (error.status === 0) return "The server cannot be reached. Please try again in a moment.";
  const fields = Object.values(error.response?.data ?? {}).map((field) => field.message);
  return [error.message, ...fields].join(" ");
}

/** Returns the picture, if one was chosen. Rejects early what the server would reject. */
function usable(file) {
  if (!file?.size) return null;
  if (!PICTURES.includes(file.type)) throw new Error("Please choose a JPEG or PNG picture.");
  if (file.size > MAX_BYTES) throw new Error("The picture is larger than 5 MiB. Please choose a smaller one.");
  return file;
}

/** Puts a file into a file input, as if the person had chosen it. */
function put(input, file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
}

/** For development: fills in the demo person's login and details. */
function fillIn() {
  const { email, password } = config.demo_user;
  Object.assign(byId("sign-in").elements.email, { value: email });
  Object.assign(byId("sign-in").elements.password, { value: password });
  const details = {
    name: "Anna Maria Eriksson",
    birth: "1990-08-12",
    number: `L${Math.floor(Math.random() * 1e8).toString().padStart(8, "0")}`,
    country: "UTO",
  };
  for (const [name, value] of Object.entries(details)) byId("details").elements[name].value = value;
  byId("specimen").hidden = false;
}

/** For development: offers the flaws that a specimen can have. */
async function offerFlaws() {
  const flaws = await sandbox.flaws();
  byId("specimen-flaw").append(...flaws.map(({ name, about }) => make("option", { value: name, textContent: name, title: about })));
}

if (sandbox) {
  fillIn();
  offerFlaws().catch(console.error);
}
render();
await attempt(resume);
