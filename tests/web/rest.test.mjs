// The same verification by REST and by the JS SDK leaves the same kinds of records.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Facade } from "./support/facade.mjs";
import { DECLARED, documentNumber, isSettled, ON_DOCUMENT, Person, signIn, stored, superuser } from "./support/person.mjs";
import { Stack } from "./support/stack.mjs";

let stack, admin, facade;

before(async () => {
  stack = await Stack.start();
  admin = await superuser(stack);
  facade = new Facade(stack);
});
after(() => stack?.stop());

async function byRest() {
  const number = documentNumber();
  const started = await facade.post("/api/v1/verify", {
    reference: `customer-${number}`,
    declared: { name: DECLARED.name, date_of_birth: DECLARED.birth, document_type: "passport", document_number: number, country: "UTO" },
    consent: { version: "test-1", given_at: new Date().toISOString() },
    locale: "en",
  });
  assert.equal(started.status, 201, JSON.stringify(started.body));
  const { id } = started.body;

  const device_event_id = await stack.deviceEvent(id);
  const document = await facade.document(id, { type: "passport", ...(await stack.specimen({ ...ON_DOCUMENT, number })), device_event_id });
  assert.equal(document.status, 202, JSON.stringify(document.body));

  const opened = await facade.post("/api/v1/liveness", { verification_id: id });
  assert.equal(opened.status, 201, JSON.stringify(opened.body));
  await stack.takeChallenge(opened.body.session_id);
  const completed = await facade.post("/api/v1/liveness", { verification_id: id, session_id: opened.body.session_id });
  assert.equal(completed.status, 202, JSON.stringify(completed.body));
  return facade.until(id, isSettled);
}

async function bySdk() {
  const person = await new Person(stack, await signIn(stack)).start();
  await person.submitDevice();
  await person.submitDocument();
  await person.showFace();
  return person.settled();
}

test("both ways end approved with the same kinds of records, written by the same hands", async () => {
  const [rest, sdk] = [await byRest(), await bySdk()];
  assert.equal(rest.status, "approved", JSON.stringify(rest.reasons));
  assert.equal(sdk.status, "approved", JSON.stringify(sdk.reasons));
  assert.deepEqual(kinds(await stored(admin, rest.id)), kinds(await stored(admin, sdk.id)));
});

test("a person continues in the browser what a partner started, with the token from verify", async () => {
  const started = await facade.post("/api/v1/verify", { reference: `customer-${documentNumber()}`, declared: { name: DECLARED.name } });
  assert.equal(started.status, 201, JSON.stringify(started.body));
  const answer = await fetch(`${stack.env.POCKETBASE_URL}/api/collections/verifications/records/${started.body.id}`, {
    headers: { authorization: started.body.client_token },
  });
  assert.equal(answer.status, 200);
  const status = await fetch(`${stack.env.FACADE_URL}/api/v1/status/${started.body.id}`, {
    headers: { authorization: `Bearer ${started.body.client_token}` },
  });
  assert.equal(status.status, 200, await status.text());
});

test("a caller without a key or token learns nothing", async () => {
  const answer = await fetch(`${stack.env.FACADE_URL}/api/v1/status/abcdefghijklmno`);
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get("content-type"), /application\/problem\+json/);
});

/** The stored records, without the values that differ between any two verifications. */
function kinds({ verification, documents, sessions, devices, actions, checks, journal }) {
  const count = (names) => Object.fromEntries([...new Set(names)].sort().map((name) => [name, names.filter((other) => other === name).length]));
  const results = journal.filter((row) => row.event !== "work_claimed" && row.event !== "work_failed");
  return {
    status: verification.status,
    results: verification.results,
    documents: documents.map((row) => row.type),
    sessions: sessions.map((row) => row.status),
    devices: devices.length,
    actions: actions.map((row) => row.action),
    checks: count(checks.map((row) => `${row.kind} ${row.attempt} ${row.outcome}`)),
    events: count(results.map((row) => row.event)),
  };
}
