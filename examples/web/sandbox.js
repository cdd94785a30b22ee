// Development only: stands in for what a test cannot have. A real page replaces each of them:
//
// - the Fingerprint agent:  (await agent.get({ linkedId: verification.id })).event_id
// - the camera challenge:   <FaceLivenessDetectorCore sessionId region credentialProvider onAnalysisComplete />
// - the document:           the person's photographs

export class Sandbox {
  constructor(url) {
    this.url = url;
  }

  /** Creates a device event as the Fingerprint agent would, bound to the verification. */
  async deviceEvent(verification) {
    const answer = await fetch(`${this.url}/sandbox/fingerprint/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ linked_id: verification, scenario: "clean", url: location.href }),
    });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status} to a device event`);
    return (await answer.json()).event_id;
  }

  /** The page on which a developer chooses how the challenge ends. It sends this window a message at the end. */
  challengeUrl(sessionId, person) {
    return `${this.url}/sandbox/liveness?${new URLSearchParams({ session_id: sessionId, person })}`;
  }

  /** The flaws that a specimen can have: `[{name, about}]`. */
  async flaws() {
    const answer = await fetch("/specimen/flaws.json");
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  /** One side of a specimen with the person's declared details, as a file to submit. */
  async specimen(side, { type, name, birth, number, person, flaw }) {
    const answer = await fetch(`/specimen?${new URLSearchParams({ side, type, name, birth, number, person, flaw })}`);
    if (!answer.ok) throw new Error(await answer.text());
    return new File([await answer.blob()], `${side}.jpg`, { type: "image/jpeg" });
  }
}
