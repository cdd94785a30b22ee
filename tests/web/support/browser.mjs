// Headless Chromium, and where its pictures are kept.

import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

const ARTIFACTS = process.env.ARTIFACTS ?? new URL("../../../artifacts", import.meta.url).pathname;

/** Chromium as root or in a container has no sandbox of its own to use; the pages are ours. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page whose errors fail the test, and a camera for it: `shoot(name)` keeps a numbered picture. */
export async function open(browser, folder, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
  page.setDefaultTimeout(45_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const pictures = join(ARTIFACTS, folder);
  await mkdir(pictures, { recursive: true });
  let count = 0;
  const shoot = (name) =>
    page.screenshot({ path: join(pictures, `${String(++count).padStart(2, "0")}-${name}.png`), fullPage: true, animations: "disabled" });
  return { page, errors, shoot };
}
