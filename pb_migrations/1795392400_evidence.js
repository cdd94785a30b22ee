/// What people submit: documents, liveness challenges, device signals, and their actions. The author creates a
/// record once and never updates it. Evidence is accepted for the author's own verification while it is not final.

const PERSON = "@request.auth.collectionName = 'users'";
const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

const OWNER = `(${PERSON} && verification.user = @request.auth.id)`;
const READERS = `${OWNER} || ${REVIEWER} || ${SERVICE}`;
const OPEN = "verification.final = false";

const unset = (fields) => fields.map((field) => `@request.body.${field}:isset = false`).join(" && ");
const unchanged = (fields) => fields.map((field) => `@request.body.${field}:changed = false`).join(" && ");

const MIB = 1024 * 1024;

migrate(
  (app) => {
    const verification = {
      type: "relation",
      name: "verification",
      collectionId: app.findCollectionByNameOrId("verifications").id,
      required: true,
      maxSelect: 1,
      cascadeDelete: true,
    };
    const image = (name, required, help) => ({
      type: "file",
      name,
      required,
      maxSelect: 1,
      maxSize: 5 * MIB,
      mimeTypes: ["image/jpeg", "image/png"],
      protected: true,
      help,
    });

    app.save(
      new Collection({
        type: "base",
        name: "documents",
        listRule: READERS,
        viewRule: READERS,
        createRule: `${OPEN} && (${OWNER} || ${SERVICE})`,
        fields: [
          verification,
          {
            type: "select",
            name: "type",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["passport", "identity_card", "driving_licence"],
          },
          {
            type: "text",
            name: "country",
            max: 3,
            pattern: "^[A-Z]{2,3}$",
            presentable: true,
            help: "Who issued it: ISO 3166, two or three letters.",
          },
          image("front", true, "The side with the portrait. JPEG or PNG, at most 5 MiB."),
          image("back", false, "The other side; a passport has none."),
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: [
          "CREATE INDEX `idx_documents_verification` ON `documents` (`verification`, `created`)",
          "CREATE INDEX `idx_documents_created` ON `documents` (`created`)",
        ],
      }),
    );

    const sessionOfService = ["session_id", "region", "challenge", "status", "expires_at"];
    const sessions = new Collection({
      type: "base",
      name: "liveness_sessions",
      listRule: READERS,
      viewRule: READERS,
      createRule: `${OPEN} && ((${OWNER} && ${unset(sessionOfService)}) || ${SERVICE})`,
      updateRule: `${SERVICE} && ${unchanged(["verification"])}`,
      fields: [
        verification,
        {
          type: "select",
          name: "status",
          maxSelect: 1,
          presentable: true,
          values: ["open", "completed", "failed", "expired", "refused"],
          help: "Written by the service; empty: asked for.",
        },
        { type: "text", name: "challenge", max: 80, help: "Which kind of challenge was opened." },
        { type: "text", name: "session_id", max: 64, help: "Rekognition's id of the challenge." },
        { type: "text", name: "region", max: 40, help: "The AWS region the browser must talk to." },
        { type: "date", name: "expires_at" },
        { type: "autodate", name: "created", onCreate: true, presentable: true },
        { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
      ],
      indexes: [
        "CREATE INDEX `idx_liveness_sessions_verification` ON `liveness_sessions` (`verification`, `created`)",
        "CREATE INDEX `idx_liveness_sessions_created` ON `liveness_sessions` (`created`)",
        "CREATE UNIQUE INDEX `idx_liveness_sessions_session_id` ON `liveness_sessions` (`session_id`) WHERE `session_id` != ''",
      ],
    });
    app.save(sessions);

    app.save(
      new Collection({
        type: "base",
        name: "device_signals",
        listRule: READERS,
        viewRule: READERS,
        createRule: `${OPEN} && (${OWNER} || ${SERVICE})`,
        fields: [
          verification,
          { type: "select", name: "stage", maxSelect: 1, presentable: true, values: ["start", "document", "liveness"] },
          {
            type: "text",
            name: "event_id",
            required: true,
            max: 20,
            pattern: "^\\d{13}\\.[a-zA-Z0-9]{6}$",
            help: "Fingerprint's id of the event. Counts once, over all verifications.",
          },
          { type: "autodate", name: "created", onCreate: true, presentable: true },
        ],
        indexes: [
          "CREATE INDEX `idx_device_signals_verification` ON `device_signals` (`verification`, `created`)",
          "CREATE INDEX `idx_device_signals_created` ON `device_signals` (`created`)",
          "CREATE UNIQUE INDEX `idx_device_signals_event_id` ON `device_signals` (`event_id`)",
        ],
      }),
    );

    const byReviewer =
      "(action = 'approve' || action = 'decline' || action = 'request_resubmission' || action = 'reopen' || (action = 'redact' && @request.auth.role = 'admin'))";
    const byPerson =
      "((action = 'liveness_completed' && liveness_session.verification = verification) || (action = 'cancel' && liveness_session = ''))";
    app.save(
      new Collection({
        type: "base",
        name: "actions",
        listRule: `(${OWNER} && user = @request.auth.id) || ${REVIEWER} || ${SERVICE}`,
        viewRule: `(${OWNER} && user = @request.auth.id) || ${REVIEWER} || ${SERVICE}`,
        createRule:
          `(${byPerson} && ${OPEN} && ${unset(["reviewer", "redo"])}` +
          ` && user = verification.user && (${OWNER} || ${SERVICE}))` +
          ` || (${REVIEWER} && ${byReviewer} && reviewer = @request.auth.id && reason != ''` +
          ` && ${unset(["user", "liveness_session"])}` +
          ` && (action = 'request_resubmission' || @request.body.redo:isset = false))`,
        fields: [
          verification,
          {
            type: "select",
            name: "action",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["approve", "decline", "request_resubmission", "reopen", "redact", "liveness_completed", "cancel"],
            help: "To decide by hand: approve, decline, request_resubmission, reopen or redact, with a reason.",
          },
          {
            type: "text",
            name: "reason",
            max: 2000,
            pattern: "\\S",
            presentable: true,
            help: "Why. Owed by whoever decides by hand; the person never sees it.",
          },
          {
            type: "select",
            name: "redo",
            maxSelect: 3,
            values: ["device", "document", "liveness"],
            help: "For request_resubmission: what the person has to send again.",
          },
          {
            type: "relation",
            name: "reviewer",
            collectionId: app.findCollectionByNameOrId("reviewers").id,
            maxSelect: 1,
            help: "The reviewer, when they acted. Leave this and user empty when you act as superuser.",
          },
          {
            type: "relation",
            name: "user",
            collectionId: app.findCollectionByNameOrId("users").id,
            maxSelect: 1,
            help: "The person, when they acted.",
          },
          {
            type: "relation",
            name: "liveness_session",
            collectionId: sessions.id,
            maxSelect: 1,
            help: "For liveness_completed only.",
          },
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: [
          "CREATE INDEX `idx_actions_verification` ON `actions` (`verification`, `created`)",
          "CREATE INDEX `idx_actions_created` ON `actions` (`created`)",
        ],
      }),
    );
  },
  (app) => {
    for (const name of ["actions", "device_signals", "liveness_sessions", "documents"]) {
      app.delete(app.findCollectionByNameOrId(name));
    }
  },
);
