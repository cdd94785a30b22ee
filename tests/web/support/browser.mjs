// Headless Chromium, and its screenshots.

import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

const ARTIFACTS = process.env.ARTIFACTS ?? new URL("../../../artifacts", import.meta.url).pathname;

/** Chromium has no sandbox as root or in a container. The pages are trusted. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** Opens a page and collects its errors. `shoot(name)` saves a numbered screenshot. */
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
