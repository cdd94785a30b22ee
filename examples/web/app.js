// The page: one verification, shown as it stands. Everything visible follows from `state` in `render()`;
// handlers only change `state` or ask the backend, and what the backend stores comes back through `follow()`.

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
  ready: false, // whether we know if there is a verification to go on with
  verification: null, // the record, as last heard
  sessions: new Map(), // liveness sessions by id
  taken: new Set(), // ids of sessions whose challenge the person finished
  handedIn: { document: null, device: null }, // when each was last handed in, as PocketBase writes instants
  deviceUnderWay: false,
  attemptSince: "", // when the current attempt began
  reasons: null, // with sentences, once the facade gave them
  live: false,
};
let stopFollowing = () => {};

// ---------------------------------------------------------------------------------------------------------------
// What happens

on("sign-in", "submit", async (form) => {
  await backend.signIn(form.get("email"), form.get("password"));
  await goOn();
});

on("details", "submit", async (form) => {
  await show(await backend.start(Object.fromEntries(form)));
});

on("document", "submit", async (form, element) => {
  const { declared_document_type: type, declared_country: country, id } = state.verification;
  const [front, back] = ["front", "back"].map((side) => usable(form.get(side)));
  if (!front) throw new Error("Choose a picture of the front first.");
  const record = await backend.handInDocument(id, { type, country, front, back });
  state.handedIn.document = record.created;
  element.reset();
  preview();
});

on("liveness-start", "click", async () => heardSession(await backend.askForChallenge(state.verification.id)));

on("liveness-done", "click", async () => {
  const session = currentSession();
  await backend.challengeTaken(state.verification.id, session.id);
  state.taken.add(session.id);
});

on("cancel", "click", async () => {
  if (confirm("Cancel this verification? It cannot be taken up again.")) await backend.cancel(state.verification.id);
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

/** The challenge's page says when the person is through it; the button is for a page that cannot. */
window.addEventListener("message", ({ origin, data }) => {
  const ours = sandbox && origin === new URL(sandbox.url).origin;
  const completed = data?.type === "liveness_completed" && data.session_id === currentSession()?.session_id;
  if (ours && completed) byId("liveness-done").click();
});

/** Takes up the newest verification of the person who is signed in, or begins with their details. */
async function goOn() {
  await backend.resume();
  const newest = backend.user && (await backend.newest());
  if (newest && !newest.final) await show(newest);
  state.ready = true;
  render();
}

/** Shows a verification and follows it from now on. */
async function show(verification) {
  forget();
  state.verification = verification;
  const { documents, devices, taken } = await backend.handedIn(verification.id);
  state.handedIn.document = documents.at(-1)?.created ?? null;
  state.handedIn.device = devices.at(-1)?.created ?? null;
  state.taken = new Set(taken);
  stopFollowing = await follow(backend.pb, verification.id, {
    onRecord: heardRecord,
    onSession: heardSession,
    onRow: heardRow,
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
  Object.assign(state, { sessions: new Map(), taken: new Set(), handedIn: { document: null, device: null } });
  byId("journal").replaceChildren();
  render();
}

function heardRecord(record) {
  state.verification = record;
  if (owes("device")) handInDevice();
  if (record.reasons?.length) findReasons();
  else state.reasons = null;
  render();
}

function heardSession(session) {
  const known = state.sessions.get(session.id);
  if (!known || known.updated <= session.updated) state.sessions.set(session.id, session);
  render();
}

function heardRow(row) {
  if (row.event === "decided") state.attemptSince = row.created;
  const { text, tone } = journalText(row);
  const item = make("li", { textContent: text });
  Object.assign(item.dataset, { seq: row.seq, event: row.event, created: row.created, shown: new Date().toISOString() });
  if (tone) item.dataset.tone = tone;
  item.append(make("time", { textContent: instant(row.created).toLocaleTimeString(), dateTime: row.created }));
  byId("journal").append(item);
  render();
}

/** The device is no question to the person: its event is made and handed in as soon as it is owed. */
async function handInDevice() {
  if (state.deviceUnderWay) return;
  state.deviceUnderWay = true;
  const { id } = state.verification;
  await attempt(async () => {
    const record = await backend.handInDevice(id, await sandbox.deviceEvent(id));
    if (state.verification?.id === id) state.handedIn.device = record.created;
  });
  state.deviceUnderWay = false;
}

async function findReasons() {
  const { id, version } = state.verification;
  const reasons = await backend.reasons(id).catch(() => null);
  if (state.verification?.id !== id || state.verification.version !== version) return;
  state.reasons = reasons;
  render();
}

// ---------------------------------------------------------------------------------------------------------------
// What follows from it

/** Whether the person still owes this input: the service says so, and we have handed nothing in since it was asked for. */
function owes(kind) {
  const { next } = state.verification;
  return Boolean(next?.includes(kind)) && !(state.handedIn[kind] > state.attemptSince);
}

/** Whether the declared document is a card. */
function hasBack({ declared_document_type: type }) {
  return type !== "passport";
}

function currentSession() {
  const newest = [...state.sessions.values()].sort((a, b) => a.created.localeCompare(b.created)).at(-1);
  return newest?.created > state.attemptSince ? newest : undefined;
}

/** Where the person stands: the panel to show. */
function panel() {
  if (!state.ready) return "loading";
  if (!backend.user) return "sign-in";
  if (!state.verification) return "details";
  const { status, final } = state.verification;
  if (final || status === "needs_review") return "outcome";
  if (owes("document")) return "document";
  if (state.verification.next?.includes("liveness") && !state.taken.has(currentSession()?.id)) return "liveness";
  return "working";
}

/** "begin", "wait" (the session is being opened) or "challenge". */
function livenessStage() {
  const session = currentSession();
  if (!session || ["failed", "expired", "refused"].includes(session.status)) return "begin";
  return session.session_id ? "challenge" : "wait";
}

// ---------------------------------------------------------------------------------------------------------------
// What is shown

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
  // A screen reader and the keyboard follow to the new step.
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
  const [name, text] = !state.verification ? ["off", "not following"] : state.live ? ["live", "live"] : ["lost", "reconnecting"];
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

/** Under the outcome; or above what the person is asked to do again. */
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
  byId("outcome-text").textContent = date && status === "approved" ? `${text} This holds until ${date}.` : text;
  byId("again").hidden = status === "needs_review";
}

function renderLiveness() {
  const stage = livenessStage();
  for (const name of ["begin", "wait", "challenge"]) byId(`liveness-${name}`).hidden = name !== stage;
  const frame = byId("challenge");
  const url = stage === "challenge" && sandbox ? sandbox.challengeUrl(currentSession().session_id, byId("specimen-person").value) : null;
  // Setting the address again would begin the challenge anew.
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
// Small tools

function byId(id) {
  return document.getElementById(id);
}

function make(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

/** PocketBase writes instants with a space where JavaScript promises to read a `T`. */
function instant(text) {
  return new Date(text.replace(" ", "T"));
}

/** Runs `handler` on an event: the button waits meanwhile, and a failure is told where the person looks. */
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

/** The picture, if one was chosen; it is refused here already if the server would. */
function usable(file) {
  if (!file?.size) return null;
  if (!PICTURES.includes(file.type)) throw new Error("Only JPEG and PNG pictures can be used.");
  if (file.size > MAX_BYTES) throw new Error("The picture is larger than 5 MiB.");
  return file;
}

/** Puts a file into a file input, as if it had been chosen. */
function put(input, file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
}

/** For development: the demo person's login and details are filled in. */
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

/** For development: what the specimen maker can do wrong on purpose. */
async function offerFlaws() {
  const flaws = await sandbox.flaws();
  byId("specimen-flaw").append(...flaws.map(({ name, about }) => make("option", { value: name, textContent: name, title: about })));
}

if (sandbox) {
  fillIn();
  offerFlaws().catch(console.error);
}
render();
await attempt(goOn);
