/// Help texts of the admin UI for fields whose purpose no version of the service fulfils yet: they say so.

const TEXTS = [
  {
    collection: "policies",
    field: "retention",
    before: 'How long personal data is kept after the decision: {"evidence_days": 30, "record_days": 1825}.',
    after: 'Not in force yet: nothing is deleted by itself. How long data shall be kept after the decision: {"evidence_days": 30, "record_days": 1825}.',
  },
  {
    collection: "actions",
    field: "action",
    before: "To decide by hand: approve, decline, request_resubmission, reopen or redact, with a reason.",
    after: "To decide by hand: approve, decline, request_resubmission or reopen, with a reason. redact is refused by this version.",
  },
  {
    collection: "webhook_endpoints",
    field: "url",
    before: "Where to send. https only.",
    after: "Where to send. https only. This version writes what is due into webhook_deliveries and sends nothing.",
  },
  {
    collection: "webhook_endpoints",
    field: "secret",
    before: "Signs each delivery. Share it with the receiver only.",
    after: "For signing deliveries. Share it with the receiver only.",
  },
  {
    collection: "webhook_deliveries",
    field: "status",
    before: "Set a failed one back to pending to send it again.",
    after: "pending until a program of yours, signed in as a service, has sent it: this version sends nothing.",
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
