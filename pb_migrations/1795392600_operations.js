/// How the service watches itself and notifies others: heartbeats of its instances, webhook endpoints (written by
/// operators) and deliveries (written by the service).

const SERVICE = "@request.auth.collectionName = 'services'";

const unchanged = (fields) => fields.map((field) => `@request.body.${field}:changed = false`).join(" && ");

migrate(
  (app) => {
    app.save(
      new Collection({
        type: "base",
        name: "heartbeats",
        listRule: SERVICE,
        viewRule: SERVICE,
        createRule: SERVICE,
        updateRule: `${SERVICE} && ${unchanged(["instance"])}`,
        fields: [
          { type: "text", name: "instance", required: true, max: 128, presentable: true, help: "Name of one running sidecar." },
          { type: "text", name: "version", max: 64 },
          { type: "number", name: "beat", min: 0, onlyInt: true, help: "Counts up while the instance lives and hears itself." },
          { type: "text", name: "sweep_cursor", max: 64, help: "How far its look through all open verifications has come." },
          { type: "date", name: "started_at" },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE UNIQUE INDEX `idx_heartbeats_instance` ON `heartbeats` (`instance`)"],
      }),
    );

    const endpoints = new Collection({
      type: "base",
      name: "webhook_endpoints",
      listRule: SERVICE,
      viewRule: SERVICE,
      fields: [
        { type: "text", name: "name", required: true, max: 200, presentable: true },
        { type: "url", name: "url", required: true, help: "Where to send. https only." },
        { type: "bool", name: "enabled" },
        {
          type: "select",
          name: "events",
          maxSelect: 8,
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
          help: "The statuses to tell. Empty: none.",
        },
        { type: "text", name: "secret", required: true, min: 24, max: 200, help: "Signs each delivery. Share it with the receiver only." },
        { type: "autodate", name: "created", onCreate: true },
        { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
      ],
      indexes: ["CREATE UNIQUE INDEX `idx_webhook_endpoints_name` ON `webhook_endpoints` (`name`)"],
    });
    app.save(endpoints);

    app.save(
      new Collection({
        type: "base",
        name: "webhook_deliveries",
        listRule: SERVICE,
        viewRule: SERVICE,
        createRule: SERVICE,
        updateRule: `${SERVICE} && ${unchanged(["verification", "endpoint", "seq", "event", "payload"])}`,
        fields: [
          { type: "text", name: "event", required: true, max: 60, pattern: "^verification\\.[a-z_]+$", presentable: true },
          {
            type: "select",
            name: "status",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["pending", "delivered", "failed"],
            help: "Set a failed one back to pending to send it again.",
          },
          { type: "number", name: "attempts", min: 0, onlyInt: true },
          { type: "date", name: "next_attempt_at" },
          {
            type: "relation",
            name: "endpoint",
            collectionId: endpoints.id,
            required: true,
            maxSelect: 1,
            cascadeDelete: true,
          },
          {
            type: "relation",
            name: "verification",
            collectionId: app.findCollectionByNameOrId("verifications").id,
            required: true,
            maxSelect: 1,
            cascadeDelete: true,
          },
          { type: "number", name: "seq", required: true, min: 1, onlyInt: true, help: "The journal row that is told." },
          { type: "json", name: "payload", maxSize: 16384 },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: [
          "CREATE UNIQUE INDEX `idx_webhook_deliveries_once` ON `webhook_deliveries` (`verification`, `endpoint`, `seq`)",
          "CREATE INDEX `idx_webhook_deliveries_due` ON `webhook_deliveries` (`status`, `next_attempt_at`)",
        ],
      }),
    );
  },
  (app) => {
    for (const name of ["webhook_deliveries", "webhook_endpoints", "heartbeats"]) {
      app.delete(app.findCollectionByNameOrId(name));
    }
  },
);
