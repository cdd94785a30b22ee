// The example page in a browser, used as a person would.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, open } from "./support/browser.mjs";
import { Stack } from "./support/stack.mjs";

/** Longest time from the commit of a step until it is shown. */
const STEP_MS = 1000;

let stack, browser;

before(async () => {
  stack = await Stack.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Signs in with the login that the page filled in, and fills in the details. */
async function start(page, { locale = "en", type = "passport" } = {}) {
  await page.goto(stack.env.PAGE_URL);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.locator("#details [name=locale]").selectOption(locale);
  await page.locator("#details [name=type]").selectOption(type);
  await page.getByLabel("I agree").check();
}

async function drawSpecimen(page, { person = "anna", flaw = "" } = {}) {
  await page.getByLabel("Portrait of").fill(person);
  await page.locator("#specimen-flaw").selectOption(flaw);
  await page.getByRole("button", { name: "Draw" }).click();
  await page.locator("#front-preview").waitFor({ state: "visible" });
}

/** Passes the challenge on the sandbox's page inside the example page. */
async function passChallenge(page, button = "Pass as this person") {
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.frameLocator("#challenge").getByRole("button", { name: button }).click();
}

/** Every shown step, with its delay after its commit. */
function steps(page) {
  return page.locator("#journal li").evaluateAll((items) =>
    items.map(({ dataset }) => ({
      seq: Number(dataset.seq),
      event: dataset.event,
      late: Date.parse(dataset.shown) - Date.parse(dataset.created.replace(" ", "T")),
    })),
  );
}

test("a person gets from signing in to approved, and sees each step within a second", async () => {
  const { page, errors, shoot } = await open(browser, "page");
  await start(page);
  await shoot("details");
  await page.getByRole("button", { name: "Start the verification" }).click();
  await page.getByRole("heading", { name: "Show your document" }).waitFor();
  await drawSpecimen(page);
  await shoot("document");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByRole("heading", { name: "Show your face" }).waitFor();
  await shoot("face-check");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const challenge = page.frameLocator("#challenge");
  await challenge.getByRole("button", { name: "Pass as this person" }).waitFor();
  await shoot("challenge");
  await challenge.getByRole("button", { name: "Pass as this person" }).click();
  await page.getByRole("heading", { name: "You are verified" }).waitFor();
  await shoot("approved");

  const shown = await steps(page);
  assert.deepEqual(shown.map((step) => step.seq), shown.map((_, index) => index + 1));
  assert.deepEqual(shown.filter((step) => step.late > STEP_MS), [], "steps shown too late");
  for (const event of ["started", "check_finished", "liveness_session_opened", "decided"]) {
    assert.ok(shown.some((step) => step.event === event), `${event} was not shown`);
  }
  assert.deepEqual(await page.locator("#results li").allTextContents(), [
    "Device: passed", "Document: passed", "Face check: passed", "Face comparison: passed",
  ]);
  assert.deepEqual(errors, []);
  await page.close();
});

test("a blurred picture is requested again, in the person's language, and the second attempt is approved", async () => {
  const { page, shoot } = await open(browser, "page-resubmission");
  await start(page, { locale: "de", type: "identity_card" });
  await page.getByRole("button", { name: "Start the verification" }).click();
  await drawSpecimen(page, { flaw: "blurred" });
  await shoot("blurred");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByRole("heading", { name: "What we found" }).waitFor();
  await page.getByRole("heading", { name: "Show your document" }).waitFor();
  // From the facade, in German.
  await page.locator("#reason-list li", { hasText: /unscharf|scharf/i }).waitFor();
  await shoot("once-more");
  await drawSpecimen(page);
  await page.getByRole("button", { name: "Submit" }).click();
  await passChallenge(page);
  await page.getByRole("heading", { name: "You are verified" }).waitFor();
  await shoot("approved");
  await page.close();
});

test("a reloaded page continues where the person was, and canceling ends it", async () => {
  const { page, shoot } = await open(browser, "page-cancel", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  page.on("dialog", (dialog) => dialog.accept());
  await start(page);
  await page.getByRole("button", { name: "Start the verification" }).click();
  await page.getByRole("heading", { name: "Show your document" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Show your document" }).waitFor();
  const [first] = await steps(page);
  assert.equal(first.event, "started", "the earlier steps are shown again");
  await shoot("small-and-dark");
  await page.getByRole("button", { name: "Cancel this verification" }).click();
  await page.getByRole("heading", { name: "Canceled" }).waitFor();
  await shoot("canceled");
  await page.getByRole("button", { name: "Start another verification" }).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.close();
});

test("another person's face needs review and is never approved", async () => {
  const { page, shoot } = await open(browser, "page-someone-else");
  await start(page);
  await page.getByRole("button", { name: "Start the verification" }).click();
  await drawSpecimen(page);
  await page.getByRole("button", { name: "Submit" }).click();
  await passChallenge(page, "Pass as someone else");
  await page.locator("#panel-outcome:not([hidden])").waitFor();
  await shoot("outcome");
  const status = await page.locator("#panel-outcome").getAttribute("data-status");
  assert.ok(["needs_review", "declined"].includes(status), status);
  await page.close();
});
