/// The case. The person (or the facade for them) creates it complete; from then on only the service writes.
/// Every field of the service is refused at creation, one by one, and the service may blank what the person
/// wrote (redaction) but never change it.

const PERSON = "@request.auth.collectionName = 'users'";
const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

const BY_PERSON = [
  "policy_name",
  "declared_name",
  "declared_date_of_birth",
  "declared_document_type",
  "declared_document_number",
  "declared_country",
  "contact_email",
  "contact_phone",
  "consent_version",
  "consent_given_at",
  "locale",
  "metadata",
];
const BY_FACADE = ["reference", "idempotency_key", "request_hash"];
const BY_SERVICE = [
  "policy",
  "status",
  "final",
  "version",
  "decision_source",
  "reasons",
  "next",
  "results",
  "attempts_used",
  "attempts_max",
  "expires_at",
  "decided_at",
  "verified_until",
  "redacted_at",
];

const unset = (fields) => fields.map((field) => `@request.body.${field}:isset = false`).join(" && ");
const keptOrBlanked = (fields) =>
  fields
    .map((field) => {
      const blank = field === "metadata" ? "'null'" : "''"; // a JSON null is the text null to a rule
      return `(@request.body.${field}:changed = false || @request.body.${field} = ${blank})`;
    })
    .join(" && ");

// Asks the live version: an older one may have been open.
const OPEN_POLICY =
  "(policy_name = '' || (@collection.live_policies.name ?= policy_name && @collection.live_policies.open_to_users ?= true))";

const COUNTRY = "^[A-Z]{2,3}$";
const DOCUMENT_TYPES = ["passport", "identity_card", "driving_licence"];

migrate(
  (app) => {
    app.save(
      new Collection({
        type: "base",
        name: "verifications",
        listRule: `(${PERSON} && user = @request.auth.id) || ${REVIEWER} || ${SERVICE}`,
        viewRule: `(${PERSON} && user = @request.auth.id) || ${REVIEWER} || ${SERVICE}`,
        createRule: `(${PERSON} && user = @request.auth.id && ${OPEN_POLICY} && ${unset([...BY_FACADE, ...BY_SERVICE])}) || ${SERVICE}`,
        updateRule: `${SERVICE} && @request.body.user:changed = false && ${keptOrBlanked([...BY_PERSON, ...BY_FACADE])}`,
        fields: [
          {
            type: "text",
            name: "declared_name",
            max: 200,
            presentable: true,
            help: "The full name the person says they have.",
          },
          {
            type: "select",
            name: "status",
            maxSelect: 1,
            presentable: true,
            values: [
              "awaiting_input",
              "processing",
              "approved",
              "declined",
              "needs_review",
              "resubmission_required",
              "canceled",
              "expired",
            ],
            help: "Written by the service; empty: just created. To decide by hand, create a record in actions.",
          },
          {
            type: "select",
            name: "decision_source",
            maxSelect: 1,
            values: ["automatic", "reviewer"],
            help: "Who decided. Empty until decided.",
          },
          {
            type: "text",
            name: "reference",
            max: 128,
            help: "The partner's own name for the person, never personal data.",
          },
          { type: "autodate", name: "created", onCreate: true },
          { type: "bool", name: "final", help: "Nothing more happens, unless a reviewer reopens it." },
          { type: "number", name: "attempts_used", min: 0, onlyInt: true },
          { type: "number", name: "attempts_max", min: 0, onlyInt: true, help: "From the policy." },
          { type: "json", name: "reasons", maxSize: 16384, help: "Why, in codes that are safe to show to the person." },
          { type: "json", name: "results", maxSize: 4096, help: "Outcome of each check, safe to show to the person. The findings are in checks." },
          { type: "json", name: "next", maxSize: 4096, help: "What the person still owes: device, document, liveness." },
          {
            type: "relation",
            name: "user",
            collectionId: app.findCollectionByNameOrId("users").id,
            required: true,
            maxSelect: 1,
            cascadeDelete: true,
            help: "The person being verified. Deleting them deletes this and everything that belongs to it.",
          },
          { type: "text", name: "policy_name", max: 40, pattern: "^[a-z0-9_-]{1,40}$", help: "Which policy was asked for. Empty: default." },
          {
            type: "relation",
            name: "policy",
            collectionId: app.findCollectionByNameOrId("policies").id,
            maxSelect: 1,
            help: "The version of the policy that decides, pinned when the work starts.",
          },
          { type: "text", name: "declared_date_of_birth", max: 10, pattern: "^\\d{4}-\\d{2}-\\d{2}$", help: "YYYY-MM-DD." },
          { type: "select", name: "declared_document_type", maxSelect: 1, values: DOCUMENT_TYPES },
          { type: "text", name: "declared_document_number", max: 40 },
          { type: "text", name: "declared_country", max: 3, pattern: COUNTRY, help: "ISO 3166, two or three letters." },
          { type: "email", name: "contact_email" },
          { type: "text", name: "contact_phone", max: 40 },
          { type: "text", name: "consent_version", max: 40, help: "Which text the person agreed to." },
          { type: "date", name: "consent_given_at" },
          { type: "text", name: "locale", max: 5, pattern: "^[a-z]{2}(-[A-Z]{2})?$", help: "Texts exist in en, es, fr, de." },
          { type: "json", name: "metadata", maxSize: 4096, help: "Whatever the caller wants to find again. Not read by the service." },
          { type: "text", name: "idempotency_key", max: 64, pattern: "^[0-9a-f]+$", help: "Hash of the facade's Idempotency-Key." },
          { type: "text", name: "request_hash", max: 64, pattern: "^[0-9a-f]+$", help: "Hash of the facade's request." },
          { type: "number", name: "version", min: 0, onlyInt: true, help: "Number of the last journal row." },
          { type: "date", name: "expires_at", help: "When the person's silence ends it." },
          { type: "date", name: "decided_at" },
          { type: "date", name: "verified_until", help: "How long the approval is valid." },
          { type: "date", name: "redacted_at", help: "When the personal data was removed." },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: [
          "CREATE INDEX `idx_verifications_status` ON `verifications` (`status`, `id`)",
          "CREATE INDEX `idx_verifications_user` ON `verifications` (`user`, `created`)",
          "CREATE INDEX `idx_verifications_final` ON `verifications` (`final`, `id`)",
          "CREATE INDEX `idx_verifications_reference` ON `verifications` (`reference`)",
          "CREATE UNIQUE INDEX `idx_verifications_idempotency_key` ON `verifications` (`idempotency_key`) WHERE `idempotency_key` != ''",
        ],
      }),
    );
  },
  (app) => app.delete(app.findCollectionByNameOrId("verifications")),
);
