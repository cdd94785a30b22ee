/// What a reviewer sees, joined for reading. A view has no realtime and no document numbers; a name is all
/// that a reviewer needs to find the case. Other values of a case are one click away, through `verification`.
/// Every computed column has a CAST: PocketBase takes the column's type from it.

const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";

const outcome = (kind) =>
  `CAST((SELECT c.outcome FROM checks c WHERE c.verification = v.id AND c.kind = '${kind}' ORDER BY c.attempt DESC LIMIT 1) AS TEXT) AS ${kind}`;

// What was found, from the decision that closed the last attempt: the case itself carries only what the person may see.
// Tolerates any text that an operator typed into the field: one bad row must not break the list.
const REASON_CODES = `
  CAST((
    SELECT group_concat(CASE r.type WHEN 'object' THEN json_extract(r.value, '$.code') ELSE r.value END, ', ')
    FROM checks c, json_each(CASE WHEN json_valid(c.reasons) THEN c.reasons END) r
    WHERE c.verification = v.id AND c.kind = 'decision'
      AND c.attempt = (SELECT max(l.attempt) FROM checks l WHERE l.verification = v.id AND l.kind = 'decision')
  ) AS TEXT) AS reason_codes`;

const latestDocument = (column) => `
  CAST((SELECT d.${column} FROM documents d WHERE d.verification = v.id ORDER BY d.created DESC LIMIT 1) AS TEXT) AS document_${column}`;

const view = (name, viewQuery) =>
  new Collection({ type: "view", name, listRule: REVIEWER, viewRule: REVIEWER, viewQuery });

migrate(
  (app) => {
    app.save(
      view(
        "review_queue",
        `
SELECT
  v.id,
  v.declared_name,
  CAST(round((julianday('now') - julianday(coalesce(
    (SELECT max(j.created) FROM journal j WHERE j.verification = v.id AND j.event IN ('decided', 'reopened')),
    v.updated))) * 24, 1) AS REAL) AS waiting_hours,
  ${REASON_CODES},
  ${outcome("document")},
  ${outcome("liveness")},
  ${outcome("face_match")},
  ${outcome("device")},
  v.id AS verification,
  ${latestDocument("type")},
  ${latestDocument("country")},
  v.attempts_used,
  v.attempts_max,
  v.reference,
  v.policy,
  v.created
FROM verifications v
WHERE v.status = 'needs_review'
ORDER BY waiting_hours DESC`,
      ),
    );

    app.save(
      view(
        "verification_overview",
        `
SELECT
  v.id,
  v.declared_name,
  v.status,
  ${REASON_CODES},
  ${outcome("document")},
  ${outcome("liveness")},
  ${outcome("face_match")},
  ${outcome("device")},
  v.id AS verification,
  v.decision_source,
  v.attempts_used,
  v.attempts_max,
  CAST(round((julianday(coalesce(nullif(v.decided_at, ''), 'now')) - julianday(v.created)) * 24, 1) AS REAL) AS hours_taken,
  v.reference,
  v.policy,
  v.verified_until,
  v.redacted_at,
  v.created
FROM verifications v
ORDER BY v.created DESC`,
      ),
    );

    // A day is the day of creation, and each verification counts once, where it stands now: the columns add up.
    app.save(
      view(
        "daily_figures",
        `
SELECT
  f.day AS id,
  CAST(count(*) AS INTEGER) AS created,
  CAST(sum(f.status = 'approved') AS INTEGER) AS approved,
  CAST(sum(f.status = 'declined') AS INTEGER) AS declined,
  CAST(sum(f.status = 'needs_review') AS INTEGER) AS needs_review,
  CAST(sum(f.status IN ('', 'awaiting_input', 'processing', 'resubmission_required')) AS INTEGER) AS under_way,
  CAST(sum(f.status = 'expired') AS INTEGER) AS expired,
  CAST(sum(f.status = 'canceled') AS INTEGER) AS canceled,
  CAST(round(avg(CASE WHEN f.place IN ((f.decided + 1) / 2, (f.decided + 2) / 2) THEN f.minutes END), 1) AS REAL) AS median_minutes,
  CAST(sum(f.decision_source = 'reviewer') AS INTEGER) AS decided_by_reviewers
FROM (
  SELECT
    m.*,
    row_number() OVER (PARTITION BY m.day ORDER BY m.minutes IS NULL, m.minutes) AS place,
    count(m.minutes) OVER (PARTITION BY m.day) AS decided
  FROM (
    SELECT
      substr(created, 1, 10) AS day,
      status,
      decision_source,
      (julianday(nullif(decided_at, '')) - julianday(created)) * 1440 AS minutes
    FROM verifications
  ) m
) f
GROUP BY f.day
ORDER BY f.day DESC`,
      ),
    );
  },
  (app) => {
    for (const name of ["daily_figures", "verification_overview", "review_queue"]) {
      app.delete(app.findCollectionByNameOrId(name));
    }
  },
);
