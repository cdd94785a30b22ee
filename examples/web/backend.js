// Everything the page asks of PocketBase and of the facade. The rule behind all of it: a person only ever
// *creates* records; the service alone changes them. So there is no update call here.

import PocketBase from "./vendor/pocketbase/pocketbase.es.mjs";

/** The text a person agrees to has a version; it is stored with the agreement. */
const CONSENT_VERSION = "example-1";

export class Backend {
  constructor(config) {
    this.config = config;
    this.pb = new PocketBase(config.pocketbase_url);
    // Two calls to one collection are two questions here, not one asked twice.
    this.pb.autoCancellation(false);
  }

  get user() {
    return this.pb.authStore.isValid ? this.pb.authStore.record : null;
  }

  async signIn(email, password) {
    await this.pb.collection("users").authWithPassword(email, password);
  }

  /** Whether the login kept in this browser still holds. */
  async resume() {
    if (!this.user) return;
    try {
      await this.pb.collection("users").authRefresh();
    } catch (error) {
      if (error.status === 0) throw error;
      this.pb.authStore.clear();
    }
  }

  signOut() {
    this.pb.authStore.clear();
  }

  /** The verification to go on with: the newest one. */
  async newest() {
    const page = await this.pb.collection("verifications").getList(1, 1, { sort: "-created", skipTotal: true });
    return page.items[0] ?? null;
  }

  start({ name, birth, type, number, country, locale }) {
    return this.pb.collection("verifications").create({
      user: this.user.id,
      declared_name: name,
      declared_date_of_birth: birth,
      declared_document_type: type,
      declared_document_number: number,
      declared_country: country.toUpperCase(),
      consent_version: CONSENT_VERSION,
      consent_given_at: new Date(),
      locale,
    });
  }

  /** The id of a Fingerprint event. It must be bound to this verification: `linkedId` is its id. */
  handInDevice(verification, eventId) {
    return this.pb.collection("device_signals").create({ verification, event_id: eventId, stage: "start" });
  }

  handInDocument(verification, { type, country, front, back }) {
    return this.pb.collection("documents").create({ verification, type, country, front, ...(back && { back }) });
  }

  /** Asks for a challenge. The service writes the session id onto the record; `follow` tells when. */
  askForChallenge(verification) {
    return this.pb.collection("liveness_sessions").create({ verification });
  }

  challengeTaken(verification, session) {
    return this.act(verification, "liveness_completed", { liveness_session: session });
  }

  cancel(verification) {
    return this.act(verification, "cancel");
  }

  act(verification, action, rest = {}) {
    return this.pb.collection("actions").create({ verification, action, user: this.user.id, ...rest });
  }

  /** What was handed in, so that a page loaded again knows what it need not ask for. */
  async handedIn(verification) {
    const of = (collection) =>
      this.pb.collection(collection).getFullList({ filter: this.pb.filter("verification = {:verification}", { verification }), sort: "created" });
    const [documents, devices, actions] = await Promise.all(["documents", "device_signals", "actions"].map(of));
    return { documents, devices, taken: actions.filter((row) => row.action === "liveness_completed").map((row) => row.liveness_session) };
  }

  /** The reasons with sentences in the verification's language. The facade has the texts; the person's own token opens it. */
  async reasons(verification) {
    const answer = await fetch(`${this.config.facade_url}/api/v1/status/${verification}`, {
      headers: { authorization: `Bearer ${this.pb.authStore.token}` },
    });
    if (!answer.ok) throw new Error(`the facade answered ${answer.status}`);
    return (await answer.json()).reasons;
  }
}
