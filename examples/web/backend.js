// The page's calls to PocketBase and to the facade. A person only *creates* records, and only the service changes
// them, so there is no update call here.

import PocketBase from "./vendor/pocketbase/pocketbase.es.mjs";

/** Version of the consent text, stored with the consent. */
const CONSENT_VERSION = "example-2";

export class Backend {
  constructor(config) {
    this.config = config;
    this.pb = new PocketBase(config.pocketbase_url);
    // The SDK would cancel the first of two calls to the same collection.
    this.pb.autoCancellation(false);
  }

  get user() {
    return this.pb.authStore.isValid ? this.pb.authStore.record : null;
  }

  async signIn(email, password) {
    await this.pb.collection("users").authWithPassword(email, password);
  }

  /** Checks whether the login stored in this browser is still valid. */
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

  /** The newest verification, which the page continues. */
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

  /** Submits the id of a Fingerprint event, whose `linkedId` must be the id of this verification. */
  submitDevice(verification, eventId) {
    return this.pb.collection("device_signals").create({ verification, event_id: eventId, stage: "start" });
  }

  submitDocument(verification, { type, country, front, back }) {
    return this.pb.collection("documents").create({ verification, type, country, front, ...(back && { back }) });
  }

  /** Requests a challenge. The service writes the session id onto the record, and `follow` reports the change. */
  requestChallenge(verification) {
    return this.pb.collection("liveness_sessions").create({ verification });
  }

  reportFinished(verification, session) {
    return this.act(verification, "liveness_completed", { liveness_session: session });
  }

  cancel(verification) {
    return this.act(verification, "cancel");
  }

  act(verification, action, rest = {}) {
    return this.pb.collection("actions").create({ verification, action, user: this.user.id, ...rest });
  }

  /** Reads what was submitted, so that a reloaded page does not ask for it again. */
  async submissions(verification) {
    const of = (collection) =>
      this.pb.collection(collection).getFullList({ filter: this.pb.filter("verification = {:verification}", { verification }), sort: "created" });
    const [documents, devices, actions] = await Promise.all(["documents", "device_signals", "actions"].map(of));
    return { documents, devices, finished: actions.filter((row) => row.action === "liveness_completed").map((row) => row.liveness_session) };
  }

  /** Reads the reasons with messages in the verification's language, which only the facade has. The person's token gives access. */
  async reasons(verification) {
    const answer = await fetch(`${this.config.facade_url}/api/v1/status/${verification}`, {
      headers: { authorization: `Bearer ${this.pb.authStore.token}` },
    });
    if (!answer.ok) throw new Error(`the facade answered ${answer.status}`);
    return (await answer.json()).reasons;
  }
}
