// The page's own texts. Messages about the reasons of an outcome come from the facade, in the verification's language.

const KINDS = { device: "Device", document: "Document", liveness: "Face check", face_match: "Face comparison", open_session: "Start of the face check" };

const OUTCOMES = {
  passed: { text: "passed", tone: "good" },
  failed: { text: "not accepted", tone: "bad" },
  review: { text: "needs review", tone: "wait" },
  pending: { text: "pending", tone: "" },
  not_executed: { text: "not carried out", tone: "" },
  error: { text: "could not be checked", tone: "wait" },
};

/** The page's texts for each status. */
const STATUSES = {
  approved: { mark: "✓", tone: "good", title: "You are verified", text: "Thank you. Nothing more is needed." },
  declined: { mark: "✕", tone: "bad", title: "We could not verify you", text: "If you think that this is wrong, please contact us." },
  needs_review: { mark: "…", tone: "wait", title: "A reviewer will decide", text: "You do not need to do anything now. You will see the outcome here." },
  resubmission_required: { mark: "↺", tone: "wait", title: "Please try again", text: "We could not use everything that you submitted." },
  canceled: { mark: "–", tone: "", title: "Canceled", text: "You canceled this verification." },
  expired: { mark: "–", tone: "", title: "Expired", text: "We did not receive everything in time. You can start again." },
};

export const kindText = (kind) => KINDS[kind] ?? kind;
export const outcomeOf = (outcome) => OUTCOMES[outcome] ?? { text: outcome, tone: "" };
export const statusOf = (status) => STATUSES[status] ?? { mark: "", tone: "", title: status, text: "" };

/** Text and colour for one row of the journal. An unknown event is shown by its name. */
export function journalText({ event, data }) {
  switch (event) {
    case "started":
      return { text: "We have your details" };
    case "work_claimed":
      return { text: `Working on: ${list(data.work.map((work) => kindText(work.kind)))}` };
    case "work_failed":
      return { text: `${kindText(data.work.kind)}: not finished yet; trying again`, tone: "wait" };
    case "liveness_session_opened":
      return { text: "The face check is ready" };
    case "liveness_session_ended":
      return { text: "The face check ended without a result", tone: "wait" };
    case "check_finished": {
      const { text, tone } = outcomeOf(data.outcome);
      return { text: `${kindText(data.kind)}: ${text}`, tone };
    }
    case "decided": {
      const { title, tone } = statusOf(data.status);
      return { text: title, tone };
    }
    case "action_applied":
      return { text: `Accepted: ${words(data.action)}` };
    case "action_refused":
      return { text: `Not possible now: ${words(data.action)}`, tone: "wait" };
    case "canceled":
      return { text: "Canceled" };
    case "expired":
      return { text: "Expired", tone: "wait" };
    case "reopened":
      return { text: "A reviewer is looking at it again", tone: "wait" };
    default:
      return { text: words(event) };
  }
}

/** `liveness_completed` -> "liveness completed". */
export const words = (name) => name.replaceAll(/[._]/g, " ");

const list = (items) => new Intl.ListFormat("en").format(new Set(items));
