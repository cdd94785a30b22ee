// Every event that the sandbox creates has the type `Event` of the official Node SDK, as the TypeScript compiler checks.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const base = process.env.SANDBOX_URL;
const modules = process.env.NODE_PATH;
// An event of the first cannot be read; one of the second violates the types on purpose.
const LEFT_OUT = ["missing", "unknown_values"];

const json = async (path, options) => (await fetch(base + path, options)).json();

test("events have the vendor's types", async () => {
  const { fingerprint } = await json("/sandbox/scenarios");
  const names = fingerprint.map((entry) => entry.scenario).filter((name) => !LEFT_OUT.includes(name));
  let source = 'import type { Event } from "@fingerprint/node-sdk";\n';
  for (const scenario of names) {
    const request = { method: "POST", body: JSON.stringify({ scenario, linked_id: "abc123" }) };
    const { event_id } = await json("/sandbox/fingerprint/events", request);
    const event = await json(`/v4/events/${event_id}`, { headers: { authorization: "Bearer fp-sandbox" } });
    source += `export const ${scenario}: Event = ${JSON.stringify(event)};\n`;
  }
  const folder = mkdtempSync(join(modules, ".shapes-"));
  try {
    const file = join(folder, "events.ts");
    writeFileSync(file, source);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "--skipLibCheck"];
    execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), ...options, file], { encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout ?? String(error));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
