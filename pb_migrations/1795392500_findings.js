/// What the service concludes: `checks` (findings, never readable by the person) and the `journal` (what happened,
/// readable by the person). Rows are appended, never changed. The unique index on (verification, seq) is the lock
/// of the whole system: every write of the service is one batch that begins with the next journal row.

const PERSON = "@request.auth.collectionName = 'users'";
const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

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
    const image = (name, help) => ({
      type: "file",
      name,
      maxSelect: 1,
      maxSize: 5 * MIB,
      mimeTypes: ["image/jpeg", "image/png"],
      protected: true,
      help,
    });

    app.save(
      new Collection({
        type: "base",
        name: "checks",
        listRule: `${REVIEWER} || ${SERVICE}`,
        viewRule: `${REVIEWER} || ${SERVICE}`,
        createRule: SERVICE,
        fields: [
          verification,
          {
            type: "select",
            name: "kind",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["device", "document", "liveness", "face_match", "decision"],
            help: "decision holds the rule tree of the decision that closed the attempt.",
          },
          { type: "number", name: "attempt", required: true, min: 1, onlyInt: true, presentable: true },
          {
            type: "select",
            name: "outcome",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["passed", "failed", "review", "not_executed", "error"],
          },
          { type: "json", name: "reasons", maxSize: 65536, help: "Code, category, disposition and detail of each reason." },
          { type: "json", name: "scores", maxSize: 65536, help: "What the providers measured." },
          { type: "json", name: "extracted", maxSize: 262144, help: "What was read from the document, and how the readings agree." },
          image("portrait", "The portrait found on the document."),
          image("reference_image", "The face of the liveness challenge."),
          { type: "json", name: "evidence", maxSize: 16384, help: "Ids of the records that were judged." },
          { type: "json", name: "provider", maxSize: 16384, help: "Name, model, region and request ids." },
          { type: "json", name: "usage", maxSize: 16384, help: "Calls and tokens." },
          { type: "text", name: "not_executed_because", max: 200, help: "For the outcome not_executed." },
          { type: "number", name: "duration_ms", min: 0, onlyInt: true },
          { type: "date", name: "started_at" },
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: ["CREATE UNIQUE INDEX `idx_checks_verification_kind_attempt` ON `checks` (`verification`, `kind`, `attempt`)"],
      }),
    );

    const readers = `(${PERSON} && verification.user = @request.auth.id) || ${REVIEWER} || ${SERVICE}`;
    app.save(
      new Collection({
        type: "base",
        name: "journal",
        listRule: readers,
        viewRule: readers,
        createRule: SERVICE,
        fields: [
          verification,
          { type: "number", name: "seq", required: true, min: 1, onlyInt: true, presentable: true, help: "1, 2, 3 ... without gaps." },
          { type: "text", name: "event", required: true, max: 60, pattern: "^[a-z_]+$", presentable: true },
          { type: "json", name: "data", maxSize: 16384, help: "Safe to show to the person." },
          {
            type: "relation",
            name: "action",
            collectionId: app.findCollectionByNameOrId("actions").id,
            maxSelect: 1,
            help: "The action this row answers. Each action is answered once.",
          },
          { type: "text", name: "by", max: 128, help: "Who: an instance of the service, user, superuser, or reviewer:<id>." },
          { type: "text", name: "previous_hash", max: 64, pattern: "^[0-9a-f]{64}$", help: "hash of the row before; empty in the first." },
          { type: "text", name: "hash", required: true, max: 64, pattern: "^[0-9a-f]{64}$", help: "SHA-256 over this row and previous_hash." },
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: [
          "CREATE UNIQUE INDEX `idx_journal_verification_seq` ON `journal` (`verification`, `seq`)",
          "CREATE UNIQUE INDEX `idx_journal_action` ON `journal` (`action`) WHERE `action` != ''",
          // The sweep for unhandled actions joins by it; SQLite cannot use the partial index above for that.
          "CREATE INDEX `idx_journal_answers` ON `journal` (`action`)",
        ],
      }),
    );
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("journal"));
    app.delete(app.findCollectionByNameOrId("checks"));
  },
);
