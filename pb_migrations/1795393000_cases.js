/// `cases`: a verification and everything that belongs to it, as the service reads it. One row by one statement, so all of
/// it is of one moment, and a quarter of the work of a record whose six back relations are expanded one by one. For the
/// service only: it has the person's declarations and the findings.
///
/// A migration that drops or renames a column that is read here must drop this view first and create it again. One that
/// changes what it shows creates a view of another name and leaves this one to the sidecars of the previous version.

const SERVICE = "@request.auth.collectionName = 'services'";

/// The most rows of each kind that a person can add and that count. No honest person needs a tenth of it, and a case must
/// stay small enough to be read.
const PERSONS_ROWS_MAX = 1000;

/// Rows that refer to a verification, as JSON, in no order. `json` are the columns of JSON, which PocketBase stores as text
/// that may be empty; `which` is what follows `FROM table`.
const rows = (table, columns, { json = [], which = "" } = {}) => {
  const pairs = [
    ...columns.map((column) => (typeof column === "string" ? `'${column}', r.${column}` : `'${column[0]}', ${column[1]}`)),
    ...json.map((column) => `'${column}', CASE WHEN json_valid(r.${column}) THEN json(r.${column}) END`),
  ];
  return `(
    SELECT json_group_array(json_object(${pairs.join(", ")}))
    FROM (SELECT * FROM ${table} WHERE verification = v.id ${which}) r
  ) AS ${table}`;
};

/// The oldest of what a person adds.
const evidence = (table, columns) => rows(table, columns, { which: `ORDER BY created, id LIMIT ${PERSONS_ROWS_MAX}` });

// Person and policy as text: a relation of the view would let everyone read it who may filter by the record it refers to.
const QUERY = `
SELECT
  v.id,
  CAST(v.user AS TEXT) AS user,
  v.reference,
  v.policy_name,
  CAST(v.policy AS TEXT) AS policy,
  v.declared_name,
  v.declared_date_of_birth,
  v.declared_document_type,
  v.declared_document_number,
  v.declared_country,
  v.locale,
  v.status,
  v.version,
  v.created,
  ${rows("journal", ["seq", "event", "action", "by", "previous_hash", "hash", "created"], { json: ["data"] })},
  ${evidence("documents", ["id", "type", "country", "front", "back", "created"])},
  ${evidence("liveness_sessions", ["id", "session_id", "region", "status", "expires_at", "created"])},
  ${evidence("device_signals", ["id", "event_id", "created"])},
  ${rows(
    "actions",
    // A reviewer must give a reason. A person's reason has no consequence, so it is left out.
    ["id", "action", "liveness_session", ["reason", "CASE WHEN r.user = '' OR r.reviewer != '' THEN r.reason ELSE '' END"], "user", "reviewer", "created"],
    // Reviewers' actions come first, so a person's can never displace them.
    { json: ["redo"], which: `ORDER BY user != '' AND reviewer = '', created, id LIMIT ${PERSONS_ROWS_MAX}` },
  )},
  ${rows(
    "checks",
    ["id", "kind", "attempt", "outcome", "not_executed_because", "reference_image", "portrait", "created"],
    { json: ["reasons", "evidence"] },
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
