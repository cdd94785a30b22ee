/// `cases`: a verification and everything that belongs to it, as the service reads it: one row by one statement, so all of it is of one
/// moment, and a quarter of the work of a record whose six back relations are expanded one by one. For the service only: the person's
/// declarations are in it, and so are the findings.
///
/// A migration that drops or renames a column that is read here must drop this view first and make it again. One that changes what it
/// shows gives it another name and leaves this one to the sidecars of the version before.

const SERVICE = "@request.auth.collectionName = 'services'";

/// As many rows of each kind as a person can add count. Nobody needs a tenth of it, and a case must stay small enough to be read.
const PERSONS_ROWS_MAX = 1000;

/// Rows that point to a verification, as JSON, in no order: `json` are columns of JSON, which PocketBase stores as text that may be empty;
/// `which` is what follows `FROM table`.
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

// Person and policy as text: a relation of a view would be a way into it for whoever may filter by what it points to.
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
    // Why a reviewer did it must be said; what a person says about it is theirs, and nothing follows from it.
    ["id", "action", "liveness_session", ["reason", "CASE WHEN r.user = '' OR r.reviewer != '' THEN r.reason ELSE '' END"], "user", "reviewer", "created"],
    // Reviewers' come first: no person can crowd them out.
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
