/// Help texts of the admin UI that were wrong, or that did not name a unit, a default or a limit. Nothing else changes.

const TEXTS = [
  {
    collection: "reviewers",
    field: "role",
    before: "admin may also redact. Empty: may not sign in; use that instead of deleting a reviewer.",
    after: "Both roles may do the same: redact, which is for admin, is refused by this version. Empty: may not sign in; use that instead of deleting a reviewer.",
  },
  {
    collection: "policies",
    field: "required_checks",
    before: "The checks that must end before a decision. face_match needs document and liveness.",
    after: "The checks that an approval needs. face_match needs document and liveness.",
  },
  {
    collection: "policies",
    field: "allowed_document_types",
    before: "Which documents are accepted.",
    after: "Which documents are accepted. None chosen: all.",
  },
  {
    collection: "policies",
    field: "minimum_age",
    before: "In years, on the day of the decision.",
    after: "In whole years, on the day on which the document is checked. 0: none.",
  },
  {
    collection: "policies",
    field: "liveness_threshold",
    before: "A liveness confidence from here on passes. 0: the service's FACE_LIVENESS_THRESHOLD.",
    after: "In percent (0-100): a liveness confidence from here on passes. 0: the service's FACE_LIVENESS_THRESHOLD.",
  },
  {
    collection: "policies",
    field: "liveness_attack_below",
    before: "A liveness confidence below this counts as an attack; between the two the person may try again or a reviewer looks.",
    after: "In percent (0-100): a liveness confidence below this counts as an attack. Between the two a reviewer decides.",
  },
  {
    collection: "policies",
    field: "face_match_pass",
    before: "A similarity from here on is the same person.",
    after: "In percent (above 0, up to 100): a similarity from here on is the same person.",
  },
  {
    collection: "policies",
    field: "face_match_review",
    before: "A similarity from here on, below the one above, goes to a reviewer. Below: not the same person.",
    after: "In percent (0-100): a similarity from here on, below face_match_pass, goes to a reviewer. Below: not the same person.",
  },
  {
    collection: "policies",
    field: "attempts_max",
    before: "How often the person may send evidence before the verification is declined.",
    after: "How many attempts the person has; each automatic decision uses one. If the last one needs new evidence again, the verification is declined, or a reviewer decides if only technical failures are the cause.",
  },
  {
    collection: "policies",
    field: "liveness_sessions_max",
    before: "How many liveness challenges one verification may open. Each one is paid for.",
    after: "How many liveness challenges one attempt may open. Each one is paid for.",
  },
  {
    collection: "policies",
    field: "input_hours",
    before: "How long to wait for the person before the verification expires.",
    after: "In hours, from the start or from the last request for new evidence: how long to wait for the person before the verification expires.",
  },
  {
    collection: "policies",
    field: "technical_minutes",
    before: "How long to retry when a provider is out of reach, before the degraded mode applies.",
    after: "In minutes, at least 1: how long to retry when a provider fails, before the degraded mode applies.",
  },
  {
    collection: "policies",
    field: "device_max_age_seconds",
    before: "How old a device signal may be when it is sent.",
    after: "In seconds: how old a device event may be when it is submitted, and how long to wait for one when nothing else is missing.",
  },
  {
    collection: "policies",
    field: "expires_soon_days",
    before: "A document that expires within this many days is noted.",
    after: "In days: a document that expires within this time is noted.",
  },
  {
    collection: "policies",
    field: "verified_days",
    before: "How long an approval is valid. 0: without end.",
    after: "In days: how long an approval is valid. 0: without end.",
  },
  {
    collection: "policies",
    field: "work_tries_max",
    before: "How often work on one verification may fail before a reviewer looks.",
    after: "How many tries of one piece of work may be lost because the service died in the middle of it, before a reviewer decides. Failures of a provider do not count here: technical_minutes limits them.",
  },
  {
    collection: "policies",
    field: "dispositions",
    before: 'What a reason code leads to, where it differs from the catalogue: {"document.expired": "review"}. One of decline, review, resubmit, inform.',
    after: 'What a reason code leads to, where it differs from the catalogue: {"document.expired": "review"}. One of decline, review, resubmit, inform; not inform for liveness.* and face.*. No effect on system.provider_unavailable and system.internal_error.',
  },
  {
    collection: "policies",
    field: "degraded",
    before: 'What happens when a provider stays out of reach: {"rekognition": "review", "openai": "review", "fingerprint": "skip"}.',
    after: 'What happens when a provider fails for longer than technical_minutes: {"rekognition": "review", "openai": "review", "fingerprint": "skip"}. Only the device check (fingerprint) can be skipped.',
  },
  {
    collection: "policies",
    field: "retention",
    before: 'Not in force yet: nothing is deleted by itself. How long data shall be kept after the decision: {"evidence_days": 30, "record_days": 1825}.',
    after: 'Not in force yet: nothing is deleted by itself. How long to keep data after the decision: {"evidence_days": 30, "record_days": 1825}.',
  },
  {
    collection: "verifications",
    field: "declared_name",
    before: "The full name the person says they have.",
    after: "The person's full name, as it was declared.",
  },
  {
    collection: "verifications",
    field: "final",
    before: "Nothing more happens, unless a reviewer reopens it.",
    after: "Nothing more happens. A reviewer can reopen an approved or declined verification.",
  },
  {
    collection: "verifications",
    field: "next",
    before: "What the person still owes: device, document, liveness.",
    after: "What the person must still submit: device, document, liveness.",
  },
  {
    collection: "verifications",
    field: "locale",
    before: "Texts exist in en, es, fr, de.",
    after: "Language of the messages for the person, such as de or de-AT. They exist in en, es, fr and de; any other language gets English.",
  },
  {
    collection: "verifications",
    field: "expires_at",
    before: "When the person's silence ends it.",
    after: "When the verification expires, unless the person submits what is missing.",
  },
  {
    collection: "verifications",
    field: "redacted_at",
    before: "When the personal data was removed.",
    after: "Not used: this version removes no personal data.",
  },
  {
    collection: "liveness_sessions",
    field: "status",
    before: "Written by the service; empty: asked for.",
    after: "Written by the service. Empty: requested and not opened yet.",
  },
  {
    collection: "actions",
    field: "reason",
    before: "Why. Owed by whoever decides by hand; the person never sees it.",
    after: "Why. Required for approve, decline, request_resubmission and reopen. The person never sees it.",
  },
  {
    collection: "actions",
    field: "redo",
    before: "For request_resubmission: what the person has to send again.",
    after: "For request_resubmission: what the person must submit again. None chosen: document and liveness.",
  },
  {
    collection: "known_documents",
    field: "hash",
    before: "Copied from a document check: known.number_hash or known.picture_hash.",
    after: "Copied from the field extracted of a document check: known.number_hash or known.picture_hash.",
  },
  {
    collection: "heartbeats",
    field: "beat",
    before: "Counts up while the instance lives and hears itself.",
    after: "Number of the instance's last heartbeat. It rises while the instance runs.",
  },
  {
    collection: "heartbeats",
    field: "sweep_cursor",
    before: "How far its look through all open verifications has come.",
    after: "Not used: no version writes it.",
  },
  {
    collection: "webhook_endpoints",
    field: "url",
    before: "Where to send. https only. This version writes what is due into webhook_deliveries and sends nothing.",
    after: "Where your program is to send to. Use https: it is not enforced. This version writes what is due into webhook_deliveries and sends nothing.",
  },
  {
    collection: "webhook_endpoints",
    field: "events",
    before: "The statuses to tell. Empty: none.",
    after: "The statuses that are announced. None chosen: none. A delivery is written when a verification is decided, canceled, expired or reopened.",
  },
  {
    collection: "webhook_endpoints",
    field: "secret",
    before: "For signing deliveries. Share it with the receiver only.",
    after: "For your program to sign deliveries with. Share it with the receiver only.",
  },
  {
    collection: "webhook_deliveries",
    field: "seq",
    before: "The journal row that is told.",
    after: "Number of the journal row that is announced.",
  },
];

const say = (app, which) => {
  for (const text of TEXTS) {
    const collection = app.findCollectionByNameOrId(text.collection);
    collection.fields.getByName(text.field).help = text[which];
    app.save(collection);
  }
};

migrate(
  (app) => say(app, "after"),
  (app) => say(app, "before"),
);
