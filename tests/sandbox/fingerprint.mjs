// The official Fingerprint Node SDK against the sandbox; only the address of the requests is changed.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

const require = createRequire(`${process.env.NODE_PATH}/`);
const { FingerprintServerApiClient, Region, ServerApiError, TooManyRequestsError } = require("@fingerprint/node-sdk");
const base = process.env.SANDBOX_URL;

const client = (apiKey = "fp-sandbox") =>
  new FingerprintServerApiClient({
    region: Region.EU,
    apiKey,
    fetch: (url, options) => {
      const { pathname, search } = new URL(url);
      return fetch(base + pathname + search, options);
    },
  });

async function post(path, body) {
  const answer = await fetch(base + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path} answered ${answer.status}: ${await answer.clone().text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

const create = async (request) => (await post("/sandbox/fingerprint/events", request)).event_id;

test.beforeEach(() => post("/sandbox/reset", {}));

test("an event is read as it was created", async () => {
  const id = await create({ linked_id: "abc123", url: "https://shop.example/verify", ip: "198.51.100.4", tag: { stage: "start" } });
  assert.match(id, /^\d{13}\.[a-zA-Z0-9]{6}$/);
  const event = await client().getEvent(id);
  assert.equal(event.event_id, id);
  assert.equal(event.linked_id, "abc123");
  assert.equal(event.url, "https://shop.example/verify");
  assert.equal(event.ip_address, "198.51.100.4");
  assert.deepEqual(event.tags, { stage: "start" });
  assert.equal(event.replayed, false);
  assert.equal(event.bot, "not_detected");
  assert.match(event.identification.visitor_id, /^[a-zA-Z0-9]{20}$/);
  assert.ok(Math.abs(event.timestamp - Date.now()) < 60_000);
});

test("each scenario changes what it names", async () => {
  const read = async (scenario) => client().getEvent(await create({ scenario }));
  assert.equal((await read("replayed")).replayed, true);
  assert.equal((await read("bot")).bot, "bad");
  assert.equal((await read("vpn")).vpn, true);
  assert.equal((await read("tor")).ip_blocklist.tor_node, true);
  assert.equal((await read("tampering")).tampering, true);
  assert.equal((await read("vm")).virtual_machine, true);
  assert.equal((await read("emulator")).emulator, true);
  assert.equal((await read("datacenter")).ip_info.v4.datacenter_result, true);
  assert.ok(Date.now() - (await read("old")).timestamp > 80_000_000);
  const both = await read("vpn+incognito");
  assert.ok(both.vpn && both.incognito);
  assert.equal((await read("sparse")).bot, undefined);
});

test("the same browser is the same visitor", async () => {
  const visitor = async (name) => (await client().getEvent(await create({ visitor: name }))).identification.visitor_id;
  assert.equal(await visitor("laptop"), await visitor("laptop"));
  assert.notEqual(await visitor("laptop"), await visitor("phone"));
});

test("errors are the vendor's", async () => {
  const code = async (promise) => {
    const error = await promise.then(() => assert.fail("no error"), (error) => error);
    assert.ok(error instanceof ServerApiError, String(error));
    return [error.statusCode, error.errorCode];
  };
  assert.deepEqual(await code(client().getEvent("1700000000000.abcdef")), [404, "event_not_found"]);
  assert.deepEqual(await code(client("wrong").getEvent("1700000000000.abcdef")), [403, "secret_api_key_not_found"]);
  await post("/sandbox/faults", { provider: "fingerprint", fault: "throttle" });
  await assert.rejects(client().getEvent("1700000000000.abcdef"), TooManyRequestsError);
  await post("/sandbox/faults", { provider: "fingerprint", fault: "error_5xx", status: 504 });
  assert.deepEqual(await code(client().getEvent("1700000000000.abcdef")), [504, "failed"]);
});

test("an event may be unreadable for some time after its creation", async () => {
  await post("/sandbox/settings", { fingerprint_delay_ms: 30_000 });
  const id = await create({});
  await assert.rejects(client().getEvent(id), ServerApiError);
  await post("/sandbox/clock", { advance_seconds: 31 });
  assert.equal((await client().getEvent(id)).event_id, id);
});

test("events are updated and visitors erased", async () => {
  const id = await create({ visitor: "erased" });
  await client().updateEvent(id, { linked_id: "later", suspect: true });
  const event = await client().getEvent(id);
  assert.equal(event.linked_id, "later");
  await client().deleteVisitorData(event.identification.visitor_id);
  await assert.rejects(client().getEvent(id), ServerApiError);
});

test("a page of any origin may create an event", async () => {
  const preflight = await fetch(`${base}/sandbox/fingerprint/events`, {
    method: "OPTIONS",
    headers: { origin: "http://localhost:8080", "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.match(preflight.headers.get("access-control-allow-headers"), /content-type/);
});
