/// `cases`: a verification and everything that belongs to it, as the service reads it: one row by one statement, so all of it is of one
/// moment, and a quarter of the work of a record whose six back relations are expanded one by one. For the service only: the person's
/// declarations are in it, and so are the findings.

const SERVICE = "@request.auth.collectionName = 'services'";

/// The rows of `table` that point to a verification, as JSON, in no order. PocketBase stores JSON as text, which may be empty.
const rows = (table, columns, json = []) => {
  const pairs = [
    ...columns.map((column) => `'${column}', r.${column}`),
    ...json.map((column) => `'${column}', CASE WHEN json_valid(r.${column}) THEN json(r.${column}) END`),
  ];
  return `(
    SELECT json_group_array(json_object(${pairs.join(", ")}))
    FROM ${table} r WHERE r.verification = v.id
  ) AS ${table}`;
};

const QUERY = `
SELECT
  v.id,
  v.user,
  v.reference,
  v.policy_name,
  v.policy,
  v.declared_name,
  v.declared_date_of_birth,
  v.declared_document_type,
  v.declared_document_number,
  v.declared_country,
  v.locale,
  v.status,
  v.version,
  v.created,
  ${rows("journal", ["seq", "event", "action", "by", "previous_hash", "hash", "created"], ["data"])},
  ${rows("documents", ["id", "type", "country", "front", "back", "created"])},
  ${rows("liveness_sessions", ["id", "session_id", "region", "status", "expires_at", "created"])},
  ${rows("device_signals", ["id", "event_id", "created"])},
  ${rows("actions", ["id", "action", "liveness_session", "reason", "user", "reviewer", "created"], ["redo"])},
  ${rows(
    "checks",
    ["id", "kind", "attempt", "outcome", "not_executed_because", "reference_image", "portrait", "created"],
    ["reasons", "evidence"],
  )}
FROM verifications v`;

migrate(
  (app) => {
    app.save(new Collection({ type: "view", name: "cases", listRule: SERVICE, viewRule: SERVICE, viewQuery: QUERY }));
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("cases"));
  },
);
