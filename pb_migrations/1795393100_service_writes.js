/// The service may not send what the person or the facade wrote in a verification, not even unchanged. The previous rule
/// compared each of those sixteen fields with the stored one and let the service blank them, which it never does. That was
/// a third of what a write of the service cost PocketBase. A redaction by the service will need a rule of its own.

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

const unsent = (fields) => fields.map((field) => `@request.body.${field}:isset = false`).join(" && ");
const keptOrBlanked = (fields) =>
  fields
    .map((field) => {
      const blank = field === "metadata" ? "'null'" : "''"; // a JSON null is the text null to a rule
      return `(@request.body.${field}:changed = false || @request.body.${field} = ${blank})`;
    })
    .join(" && ");

const updateBy = (app, rule) => {
  const verifications = app.findCollectionByNameOrId("verifications");
  verifications.updateRule = rule;
  app.save(verifications);
};

migrate(
  (app) => updateBy(app, `${SERVICE} && ${unsent(["user", ...BY_PERSON, ...BY_FACADE])}`),
  (app) => updateBy(app, `${SERVICE} && @request.body.user:changed = false && ${keptOrBlanked([...BY_PERSON, ...BY_FACADE])}`),
);
