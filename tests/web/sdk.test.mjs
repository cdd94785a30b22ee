// A verification with only the PocketBase JS SDK, and how the page follows one through a broken connection.

import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import { after, before, test } from "node:test";

import { follow } from "../../examples/web/follow.js";
import { client, Person, signIn, stored, superuser } from "./support/person.mjs";
import { Stack } from "./support/stack.mjs";

let stack, pb, admin;

before(async () => {
  stack = await Stack.start();
  pb = await signIn(stack);
  admin = await superuser(stack);
});
after(() => stack?.stop());

for (const type of ["passport", "identity_card", "driving_licence"]) {
  test(`a person with a genuine ${type} is approved`, async () => {
    const person = await new Person(stack, pb).start({ type });
    await person.submitDevice();
    await person.submitDocument();
    await person.showFace();
    const record = await person.settled();

    assert.equal(record.status, "approved", JSON.stringify(record.reasons));
    assert.equal(record.final, true);
    assert.equal(record.decision_source, "automatic");
    assert.deepEqual(record.results, { device: "passed", document: "passed", liveness: "passed", face_match: "passed" });
    const { checks, journal } = await stored(admin, person.id);
    assert.deepEqual(checks.map((check) => check.kind).sort(), ["decision", "device", "document", "face_match", "liveness"]);
    assert.deepEqual(journal.map((row) => row.seq), journal.map((_, index) => index + 1));
    assert.equal(record.version, journal.length);
  });
}

test("the order in which a person submits input does not matter", async () => {
  const person = await new Person(stack, pb).start();
  await person.showFace();
  await person.submitDocument();
  await person.submitDevice();
  assert.equal((await person.settled()).status, "approved");
});

test("a person can cancel, and a canceled verification accepts no document", async () => {
  const person = await new Person(stack, pb).start();
  await pb.collection("actions").create({ verification: person.id, action: "cancel", user: pb.authStore.record.id });
  const record = await person.settled();
  assert.equal(record.status, "canceled");
  await assert.rejects(person.submitDocument(), "a final verification accepts no document");
});

test("a blurred document is requested again, and a sharp one is then approved", async () => {
  const person = await new Person(stack, pb).start();
  await person.submitDevice();
  await person.showFace();
  await person.submitDocument({ flaw: "blurred" });
  const first = await person.settled();
  assert.equal(first.status, "resubmission_required");
  assert.deepEqual(first.next, ["document"]);

  await person.submitDocument();
  const second = await person.until("verifications", person.id, (record) => record.final);
  assert.equal(second.status, "approved");
  assert.equal(second.attempts_used, 2);
});

test("a person sees no findings, no scores and no data of others", async () => {
  const person = await new Person(stack, pb).start();
  await person.submitDevice();
  await person.until("verifications", person.id, (record) => record.results?.device === "passed");
  assert.deepEqual(await pb.collection("checks").getFullList(), []);
  const guest = client(stack.env.POCKETBASE_URL);
  await assert.rejects(guest.collection("verifications").getOne(person.id), { status: 404 });
  await assert.rejects(pb.collection("verifications").update(person.id, { status: "approved" }), { status: 404 });
});

test("following continues without gaps after the connection was cut", async () => {
  const line = await Line.to(stack.env.POCKETBASE_URL);
  const reader = client(line.url);
  reader.authStore.save(pb.authStore.token, pb.authStore.record);
  const person = await new Person(stack, pb).start();

  const rows = [];
  let record, cuts = 0;
  const stop = await follow(reader, person.id, {
    onRow: (row) => rows.push(row.seq),
    onRecord: (newer) => (record = newer),
    onSession: () => {},
    onConnection: (live) => (cuts += live ? 0 : 1),
  });
  await person.submitDevice();
  await until(() => rows.length >= 3);
  line.cut();
  await person.submitDocument();
  await person.showFace();
  const end = await person.settled();
  await until(() => cuts > 0);
  line.mend();
  await until(() => record?.final && rows.length === end.version);

  assert.deepEqual(rows, rows.map((_, index) => index + 1));
  assert.equal(record.status, "approved");
  await stop();
  await line.close();
});

/** A connection to PocketBase that can be cut. */
class Line {
  static async to(url) {
    const line = new Line();
    const { hostname, port } = new URL(url);
    line.open = new Set();
    line.whole = true;
    line.server = createServer((near) => {
      if (!line.whole) return near.destroy();
      const far = connect(port, hostname);
      for (const [from, into] of [[near, far], [far, near]]) {
        line.open.add(from);
        from.on("error", () => into.destroy()).on("close", () => (line.open.delete(from), into.destroy())).pipe(into);
      }
    });
    await new Promise((resolve) => line.server.listen(0, "127.0.0.1", resolve));
    line.url = `http://127.0.0.1:${line.server.address().port}`;
    return line;
  }

  cut() {
    this.whole = false;
    for (const socket of this.open) socket.destroy();
  }

  mend() {
    this.whole = true;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** Waits until a condition holds, within a time limit. */
async function until(condition, timeout = 20_000) {
  const deadline = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
