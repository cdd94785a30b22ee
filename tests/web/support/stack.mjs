// A whole stack for a test file: PocketBase, sandbox, sidecar and page, started with the developer's command on free
// ports and in its own folder.

import { spawn, execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const DEV = process.env.DEV ?? new URL("../../../target/debug/dev", import.meta.url).pathname;
const START_MS = 90_000;
const STOP_MS = 60_000;

export class Stack {
  /** Starts a stack. If that fails, the error has the output of its parts. */
  static async start({ folder, options = [] } = {}) {
    const stack = new Stack();
    stack.folder = folder ?? (await mkdtemp(join(tmpdir(), "identivia-web-")));
    stack.envFile = join(stack.folder, "env");
    const places = ["--data", join(stack.folder, "data"), "--env-file", stack.envFile];
    stack.process = spawn(DEV, ["--no-build", "--free-ports", ...places, ...options], { stdio: ["ignore", "pipe", "pipe"] });
    stack.ended = new Promise((resolve) => stack.process.once("exit", (code, signal) => resolve(code ?? signal)));
    stack.output = "";
    stack.process.stderr.setEncoding("utf8").on("data", (text) => (stack.output += text));
    await stack.#ready();
    stack.env = parse(await readFile(stack.envFile, "utf8"));
    return stack;
  }

  #ready() {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the stack did not start: ${why}\n${this.output}`));
      const timer = setTimeout(() => fail(`no ready line within ${START_MS} ms`), START_MS);
      this.process.stdout.setEncoding("utf8").on("data", (text) => {
        if (text.startsWith("ready ")) resolve(clearTimeout(timer));
      });
      this.ended.then((code) => fail(`it ended with ${code}`));
    });
  }

  /** Stops the stack; an unclean end is an error. `keep` leaves its folder for another stack. */
  async stop({ keep = false } = {}) {
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    const code = await this.ended;
    clearTimeout(timer);
    if (!keep) await this.clear();
    if (code !== 0) throw new Error(`the stack ended with ${code}\n${this.output}`);
  }

  clear() {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** The pictures of a specimen, drawn by the sandbox program: `{front, back}` as files to submit. */
  async specimen({ type = "passport", flaw, ...choices }) {
    const folder = await mkdtemp(join(this.folder, "specimen-"));
    const [front, back] = ["front", "back"].map((side) => join(folder, `${side}.jpg`));
    // Stored types have underscores, the specimen maker's have hyphens.
    const chosen = Object.entries({ type: type.replace("_", "-"), ...choices }).map(([name, value]) => `--${name}=${value}`);
    const flaws = [flaw ?? []].flat().map((name) => `--flaw=${name}`);
    const backs = type === "passport" ? [] : ["--back", back];
    await promisify(execFile)(join(DEV, "../sandbox"), ["specimen", ...chosen, ...flaws, "--out", front, ...backs]);
    return { front: await picture(front), back: backs.length ? await picture(back) : undefined };
  }

  /** Creates a device event as the Fingerprint agent in a browser would. */
  async deviceEvent(verification, scenario = "clean") {
    const { event_id } = await this.#sandbox("/sandbox/fingerprint/events", { linked_id: verification, scenario, url: this.env.PAGE_URL });
    return event_id;
  }

  /** Takes a liveness challenge. */
  takeChallenge(sessionId, { outcome = "pass", person = "anna" } = {}) {
    return this.#sandbox(`/sandbox/liveness/${sessionId}`, { outcome, person });
  }

  async #sandbox(path, body) {
    const answer = await fetch(this.env.SANDBOX_URL + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST ${path} of the sandbox: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}

/** Reads the env file: one `export NAME='value'` per line. */
function parse(text) {
  return Object.fromEntries([...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
}

async function picture(path) {
  return new File([await readFile(path)], path.split("/").at(-1), { type: "image/jpeg" });
}
