/// What a verification must show to be approved. A policy is never edited: a change is a new version,
/// and the highest version of a name is the live one. Fields and seed: docs/records.md.

const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

const percent = (name, help) => ({ type: "number", name, min: 0, max: 100, help });
const count = (name, min, max, help) => ({ type: "number", name, min, max, onlyInt: true, help });

migrate(
  (app) => {
    const policies = new Collection({
      type: "base",
      name: "policies",
      listRule: `${SERVICE} || ${REVIEWER}`,
      viewRule: `${SERVICE} || ${REVIEWER}`,
      fields: [
        {
          type: "text",
          name: "name",
          required: true,
          max: 40,
          pattern: "^[a-z0-9_-]{1,40}$",
          presentable: true,
          help: "What a verification asks for in policy_name; empty there means: default.",
        },
        {
          type: "number",
          name: "version",
          required: true,
          min: 1,
          onlyInt: true,
          presentable: true,
          help: "Do not edit a policy in use: duplicate it with the next version. The highest version of a name is live.",
        },
        { type: "text", name: "description", max: 1000, help: "For whom this policy is and why." },
        {
          type: "bool",
          name: "open_to_users",
          help: "People may ask for this policy by name themselves. Otherwise only a service may.",
        },
        {
          type: "select",
          name: "required_checks",
          maxSelect: 4,
          values: ["device", "document", "liveness", "face_match"],
          help: "The checks that must end before a decision. face_match needs document and liveness.",
        },
        {
          type: "select",
          name: "allowed_document_types",
          maxSelect: 3,
          values: ["passport", "identity_card", "driving_licence"],
          help: "Which documents are accepted.",
        },
        {
          type: "json",
          name: "allowed_countries",
          maxSize: 4096,
          help: 'Issuing countries as a list, for example ["ESP", "FRA"]. Empty list: all.',
        },
        { type: "json", name: "denied_countries", maxSize: 4096, help: "Issuing countries that are never accepted. Wins over allowed_countries." },
        count("minimum_age", 0, 130, "In years, on the day of the decision."),
        percent("liveness_threshold", "A liveness confidence from here on passes. 0: the service's FACE_LIVENESS_THRESHOLD."),
        percent("liveness_attack_below", "A liveness confidence below this counts as an attack; between the two the person may try again or a reviewer looks."),
        percent("face_match_pass", "A similarity from here on is the same person."),
        percent("face_match_review", "A similarity from here on, below the one above, goes to a reviewer. Below: not the same person."),
        count("attempts_max", 1, 20, "How often the person may send evidence before the verification is declined."),
        count("liveness_sessions_max", 1, 50, "How many liveness challenges one verification may open. Each one is paid for."),
        count("input_hours", 1, 8760, "How long to wait for the person before the verification expires."),
        count("technical_minutes", 0, 10080, "How long to retry when a provider is out of reach, before the degraded mode applies."),
        count("device_max_age_seconds", 1, 86400, "How old a device signal may be when it is sent."),
        count("expires_soon_days", 0, 3650, "A document that expires within this many days is noted."),
        count("verified_days", 0, 36500, "How long an approval is valid. 0: without end."),
        count("work_tries_max", 1, 20, "How often work on one verification may fail before a reviewer looks."),
        {
          type: "json",
          name: "dispositions",
          maxSize: 16384,
          help: 'What a reason code leads to, where it differs from the catalogue: {"document.expired": "review"}. One of decline, review, resubmit, inform.',
        },
        {
          type: "json",
          name: "degraded",
          maxSize: 1024,
          help: 'What happens when a provider stays out of reach: {"rekognition": "review", "openai": "review", "fingerprint": "skip"}.',
        },
        {
          type: "json",
          name: "retention",
          maxSize: 1024,
          help: 'How long personal data is kept after the decision: {"evidence_days": 30, "record_days": 1825}.',
        },
        { type: "autodate", name: "created", onCreate: true },
      ],
      indexes: ["CREATE UNIQUE INDEX `idx_policies_name_version` ON `policies` (`name`, `version`)"],
    });
    app.save(policies);

    app.save(
      new Collection({
        type: "view",
        name: "live_policies",
        listRule: policies.listRule,
        viewRule: policies.viewRule,
        viewQuery: `
SELECT p.id, p.id AS policy, p.name, p.version, p.open_to_users, p.description
FROM policies p
WHERE p.version = (SELECT MAX(q.version) FROM policies q WHERE q.name = p.name)
ORDER BY p.name`,
      }),
    );

    const seed = new Record(policies, {
      id: "policydefault01",
      name: "default",
      version: 1,
      description: "All four checks, for adults with any of the three documents from any country.",
      open_to_users: true,
      required_checks: ["device", "document", "liveness", "face_match"],
      allowed_document_types: ["passport", "identity_card", "driving_licence"],
      allowed_countries: [],
      denied_countries: [],
      minimum_age: 18,
      liveness_threshold: 0,
      liveness_attack_below: 50,
      face_match_pass: 95,
      face_match_review: 80,
      attempts_max: 3,
      liveness_sessions_max: 5,
      input_hours: 72,
      technical_minutes: 30,
      device_max_age_seconds: 120,
      expires_soon_days: 30,
      verified_days: 365,
      work_tries_max: 3,
      dispositions: {},
      degraded: { rekognition: "review", openai: "review", fingerprint: "review" },
      retention: { evidence_days: 30, record_days: 1825 },
    });
    app.save(seed);
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("live_policies"));
    app.delete(app.findCollectionByNameOrId("policies"));
  },
);
