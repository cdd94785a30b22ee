// What an operator sees in PocketBase's admin UI.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, open } from "./support/browser.mjs";
import { Person, signIn, stored, superuser } from "./support/person.mjs";
import { Stack } from "./support/stack.mjs";

let stack, browser, admin, doubtful, operator;

before(async () => {
  stack = await Stack.start();
  browser = await launch();
  admin = await superuser(stack);
  const pb = await signIn(stack);
  const person = await new Person(stack, pb).start();
  await Promise.all([person.submitDevice(), person.submitDocument(), person.showFace()]);
  assert.equal((await person.settled()).status, "approved");
  doubtful = await new Person(stack, pb).start();
  await Promise.all([doubtful.submitDevice(), doubtful.submitDocument(), doubtful.showFace({ person: "bob" })]);
  assert.equal((await doubtful.settled()).status, "needs_review");
  operator = await open(browser, "admin", { viewport: { width: 1600, height: 1000 } });
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

const table = () => operator.page.locator("table");
const form = () => operator.page.locator(".record-upsert-modal");
/** Waits until the open record shows a value. */
const shown = (text) => form().getByText(text, { exact: true }).filter({ visible: true }).first().waitFor();

/** Opens a collection, or one record of it. */
async function visit(collection, record) {
  const query = new URLSearchParams({ collection, ...(record && { record }) });
  // Load the page each time: if only the fragment changes, the UI closes the open record, and that removes `record` from
  // the new address.
  await operator.page.goto("about:blank");
  await operator.page.goto(`${stack.env.ADMIN_URL}#/collections?${query}`);
}

test("an operator signs in and reads verifications, the review queue, findings and the journal", async () => {
  const { page, shoot } = operator;
  await page.goto(stack.env.ADMIN_URL);
  await page.locator("input[type=email]").fill(stack.env.POCKETBASE_ADMIN_EMAIL);
  await page.locator("input[type=password]").fill(stack.env.POCKETBASE_ADMIN_PASSWORD);
  await page.getByRole("button", { name: "Login" }).click();
  await page.getByText("verifications").first().waitFor();

  await visit("verifications");
  await table().getByText("needs_review").waitFor();
  await table().getByText("approved").waitFor();
  await shoot("verifications");

  await visit("review_queue");
  await table().getByText("face.mismatch").waitFor();
  await shoot("review-queue");

  await visit("checks");
  await table().getByText("face_match").first().waitFor();
  await shoot("checks");
  const { checks } = await stored(admin, doubtful.id);
  for (const kind of ["document", "face_match"]) {
    await visit("checks", checks.find((check) => check.kind === kind).id);
    await shown(kind);
    await shoot(`check-${kind}`);
  }

  await visit("journal");
  await table().getByText("decided").first().waitFor();
  await shoot("journal");
  await visit("daily_figures");
  await table().locator("tbody tr").first().waitFor();
  await shoot("daily-figures");
});

test("an operator approves by creating an action, and the journal names the operator", async () => {
  const { page, shoot } = operator;
  await visit("actions");
  await page.getByRole("button", { name: "New record" }).click();
  await form().getByRole("button", { name: "Open records picker" }).first().click();
  const picker = page.locator(".records-picker-modal");
  await picker.locator(".list-item", { hasText: "needs_review" }).click();
  await picker.getByRole("button", { name: "Set selection" }).click();
  await form().getByText("- Select -").first().click();
  await page.getByText("approve", { exact: true }).click();
  await form().locator("[name=reason]").fill("Seen in person.");
  await shoot("approve");
  await form().getByRole("button", { name: "Create" }).click();

  const record = await new Person(stack, admin).until("verifications", doubtful.id, (verification) => verification.final);
  assert.equal(record.status, "approved");
  assert.equal(record.decision_source, "reviewer");
  const { journal } = await stored(admin, doubtful.id);
  const by = `superuser:${admin.authStore.record.id}`;
  assert.ok(journal.some((row) => row.event === "decided" && row.by === by), JSON.stringify(journal.map((row) => row.by)));
  await visit("verifications", doubtful.id);
  await shoot("approved-by-hand");
});
