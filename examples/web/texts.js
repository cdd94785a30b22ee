// What the page says. Sentences about outcomes come from the facade, in the verification's language;
// these are the page's own.

const KINDS = { device: "Device", document: "Document", liveness: "Face check", face_match: "Face comparison", open_session: "Camera" };

const OUTCOMES = {
  passed: { text: "passed", tone: "good" },
  failed: { text: "not accepted", tone: "bad" },
  review: { text: "to be looked at", tone: "wait" },
  pending: { text: "open", tone: "" },
  not_executed: { text: "not needed", tone: "" },
  error: { text: "could not be checked", tone: "wait" },
};

/** How the page speaks of each status: what the person reads when it is reached. */
const STATUSES = {
  approved: { mark: "✓", tone: "good", title: "You are verified", text: "Thank you. Nothing more is needed." },
  declined: { mark: "✕", tone: "bad", title: "We could not verify you", text: "This decision is final. If you think it is wrong, contact us." },
  needs_review: { mark: "…", tone: "wait", title: "A person will look at it", text: "We have everything we need. You will see the outcome here." },
  resubmission_required: { mark: "↺", tone: "wait", title: "Please try once more", text: "Something could not be used." },
  canceled: { mark: "–", tone: "", title: "Canceled", text: "You have withdrawn this verification." },
  expired: { mark: "–", tone: "", title: "Too much time has passed", text: "Nothing came in for a long time. You can start again." },
};

export const kindText = (kind) => KINDS[kind] ?? kind;
export const outcomeOf = (outcome) => OUTCOMES[outcome] ?? { text: outcome, tone: "" };
export const statusOf = (status) => STATUSES[status] ?? { mark: "", tone: "", title: status, text: "" };

/** The sentence and colour for one row of the journal. An event this page does not know is shown by its name. */
export function journalText({ event, data }) {
  switch (event) {
    case "started":
      return { text: "We have your details" };
    case "work_claimed":
      return { text: `Working on: ${list(data.work.map((work) => kindText(work.kind)))}` };
    case "work_failed":
      return { text: `${kindText(data.work.kind)}: a service does not answer; we try again`, tone: "wait" };
    case "liveness_session_opened":
      return { text: "The camera check is ready" };
    case "liveness_session_ended":
      return { text: "The camera check ended without a result", tone: "wait" };
    case "check_finished": {
      const { text, tone } = outcomeOf(data.outcome);
      return { text: `${kindText(data.kind)}: ${text}`, tone };
    }
    case "decided": {
      const { title, tone } = statusOf(data.status);
      return { text: title, tone };
    }
    case "action_applied":
      return { text: `Done: ${words(data.action)}` };
    case "action_refused":
      return { text: `Not possible now: ${words(data.action)}`, tone: "wait" };
    case "canceled":
      return { text: "Canceled" };
    case "expired":
      return { text: "Expired", tone: "wait" };
    case "reopened":
      return { text: "A person looks at it again", tone: "wait" };
    default:
      return { text: words(event) };
  }
}

/** `liveness_completed` -> "liveness completed". */
export const words = (name) => name.replaceAll(/[._]/g, " ");

const list = (items) => new Intl.ListFormat("en").format(new Set(items));
