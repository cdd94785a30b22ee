// A person with the PocketBase JS SDK, as in a web app: the steps of a verification and their results.

import { EventSource } from "eventsource";
import PocketBase from "pocketbase";

// Browsers have it; Node 20 does not.
globalThis.EventSource ??= EventSource;

/** Longest wait for a result of the service. */
export const PATIENCE_MS = 45_000;

export const DECLARED = { name: "Anna Maria Eriksson", birth: "1990-08-12", country: "UTO" };
export const ON_DOCUMENT = { name: "ERIKSSON, ANNA MARIA", birth: DECLARED.birth, person: "anna" };

let numbers = 10_000_000 + Math.floor(Math.random() * 80_000_000);
/** A document number that no other verification of this run uses. */
export const documentNumber = () => `L${numbers++}`;

export function client(url) {
  return new PocketBase(url).autoCancellation(false);
}

/** Signs in as the demo person of the stack. */
export async function signIn(stack) {
  const pb = client(stack.env.POCKETBASE_URL);
  await pb.collection("users").authWithPassword(stack.env.DEMO_USER_EMAIL, stack.env.DEMO_USER_PASSWORD);
  return pb;
}

/** Signs in as superuser, to read the stored records. */
export async function superuser(stack) {
  const pb = client(stack.env.POCKETBASE_URL);
  await pb.collection("_superusers").authWithPassword(stack.env.POCKETBASE_ADMIN_EMAIL, stack.env.POCKETBASE_ADMIN_PASSWORD);
  return pb;
}

/** A person's verification: creates records and waits for the service's results. */
export class Person {
  constructor(stack, pb) {
    Object.assign(this, { stack, pb, number: documentNumber() });
  }

  /** Starts the verification with declared data. */
  async start({ type = "passport", ...rest } = {}) {
    this.type = type;
    this.verification = await this.pb.collection("verifications").create({
      user: this.pb.authStore.record.id,
      declared_name: DECLARED.name,
      declared_date_of_birth: DECLARED.birth,
      declared_document_type: type,
      declared_document_number: this.number,
      declared_country: DECLARED.country,
      consent_version: "test-1",
      consent_given_at: new Date(),
      locale: "en",
      ...rest,
    });
    this.id = this.verification.id;
    return this;
  }

  async submitDevice(scenario) {
    const event_id = await this.stack.deviceEvent(this.id, scenario);
    return this.pb.collection("device_signals").create({ verification: this.id, event_id, stage: "start" });
  }

  async submitDocument(choices = {}) {
    const pictures = await this.stack.specimen({ type: this.type, ...ON_DOCUMENT, number: this.number, ...choices });
    const { front, back } = pictures;
    return this.pb.collection("documents").create({ verification: this.id, type: this.type, country: DECLARED.country, front, ...(back && { back }) });
  }

  /** Requests a challenge, takes it, and reports that. */
  async showFace(how = {}) {
    const { id } = await this.pb.collection("liveness_sessions").create({ verification: this.id });
    const open = await this.until("liveness_sessions", id, (session) => session.session_id || session.status === "refused");
    await this.stack.takeChallenge(open.session_id, how);
    return this.pb.collection("actions").create({
      verification: this.id,
      action: "liveness_completed",
      liveness_session: id,
      user: this.pb.authStore.record.id,
    });
  }

  /** Waits until the verification needs the person or a reviewer, or is final. */
  settled() {
    return this.until("verifications", this.id, isSettled);
  }

  /** Waits over realtime until a record is as wanted. Subscribes before reading, so that no change is missed. */
  async until(collection, id, wanted) {
    let last = null;
    let finish, giveUp;
    const met = new Promise((resolve, reject) => ([finish, giveUp] = [resolve, reject]));
    const look = (record) => wanted((last = record)) && finish(record);
    const stop = await this.pb.collection(collection).subscribe(id, ({ record }) => look(record));
    const timer = setTimeout(() => giveUp(new Error(`${collection}/${id} stayed at ${JSON.stringify(last)}`)), PATIENCE_MS);
    try {
      look(await this.pb.collection(collection).getOne(id));
      return await met;
    } finally {
      clearTimeout(timer);
      await stop();
    }
  }
}

export function isSettled({ status, final }) {
  return final || status === "needs_review" || status === "resubmission_required";
}

/** All stored records of a verification, as a superuser sees them. */
export async function stored(admin, verification) {
  const of = (collection, sort) =>
    admin.collection(collection).getFullList({ filter: admin.filter("verification = {:verification}", { verification }), sort });
  const [documents, sessions, devices, actions, checks, journal] = await Promise.all([
    of("documents", "created"),
    of("liveness_sessions", "created"),
    of("device_signals", "created"),
    of("actions", "created"),
    of("checks", "created"),
    of("journal", "seq"),
  ]);
  return { verification: await admin.collection("verifications").getOne(verification), documents, sessions, devices, actions, checks, journal };
}

/** The codes that the checks found. */
export const codes = ({ checks }) => checks.flatMap((check) => check.reasons ?? []).map((reason) => reason.code);
