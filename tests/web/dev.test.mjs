// The developer's command: how it starts and stops, and its file of keys.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";

import { DEV, Stack } from "./support/stack.mjs";

/** Runs `dev` until it ends. */
function dev(...args) {
  return new Promise((resolve) => {
    execFile(DEV, ["--no-build", ...args], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
}

/** The process ids of a process's children, by name. */
async function children(parent) {
  const found = {};
  for (const id of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
    const [, name, ppid] = text.match(/^\d+ \((.*)\) \S (\d+)/) ?? [];
    if (Number(ppid) === parent) found[name] = Number(id);
  }
  return found;
}

test("the file of keys is private, and keys are kept between runs until --fresh", async () => {
  const stack = await Stack.start();
  const first = stack.env;
  assert.equal((await stat(stack.envFile)).mode & 0o777, 0o600);
  await stack.stop({ keep: true });

  const again = await Stack.start({ folder: stack.folder });
  assert.equal(again.env.API_KEY, first.API_KEY);
  assert.equal(again.env.PB_USER_PASSWORD, first.PB_USER_PASSWORD);
  await again.stop({ keep: true });

  const fresh = await Stack.start({ folder: stack.folder, options: ["--fresh"] });
  assert.notEqual(fresh.env.API_KEY, first.API_KEY);
  await fresh.stop();
});

test("a part that dies stops the stack, in order, and the exit code says which one", async () => {
  for (const [name, code] of [["sandbox", 12], ["identivia", 13], ["pocketbase", 11]]) {
    const stack = await Stack.start();
    const parts = await children(stack.process.pid);
    assert.deepEqual(Object.keys(parts).sort(), ["identivia", "pocketbase", "sandbox"]);
    process.kill(parts[name], "SIGKILL");
    assert.equal(await stack.ended, code, stack.output);
    for (const id of Object.values(parts)) assert.throws(() => process.kill(id, 0), `process ${id} was left behind`);
    await stack.clear();
  }
});

test("a port in use is named, with the option that changes it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const rest = ["pocketbase", "sidecar", "metrics", "page"].flatMap((part) => [`--port-${part}`, "0"]);
  const { code, stderr } = await dev("--port-sandbox", String(port), ...rest, "--data", "/nonexistent");
  server.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${port} .*in use.*--port-sandbox`, "s"));
});

test("two stacks on one data folder are rejected", async () => {
  const stack = await Stack.start();
  const { code, stderr } = await dev("--free-ports", "--data", `${stack.folder}/data`, "--env-file", `${stack.folder}/other`);
  assert.equal(code, 1);
  assert.match(stderr, /another `dev` works on/);
  await stack.stop();
});

test("the demo runs against a running stack, prints every step, and exits with 0 only if approved", async () => {
  const stack = await Stack.start();
  const demo = (...args) => dev("demo", "--env-file", stack.envFile, ...args);
  const genuine = await demo();
  assert.equal(genuine.code, 0, genuine.stdout + genuine.stderr);
  for (const step of ["verify", "device", "document", "liveness", "challenge", "completed", "outcome: approved"]) {
    assert.ok(genuine.stdout.includes(step), `${step} is missing in\n${genuine.stdout}`);
  }
  const expired = await demo("--flaw", "expired");
  assert.equal(expired.code, 1, expired.stdout);
  assert.match(expired.stdout, /outcome: declined/);
  assert.match(expired.stdout, /document\.expired/);
  const another = await demo("--liveness-person", "bob");
  assert.equal(another.code, 1, another.stdout);
  assert.match(another.stdout, /outcome: needs_review/);
  await stack.stop();
});
