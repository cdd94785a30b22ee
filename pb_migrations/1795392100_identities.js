/// Who may talk to the database: `users` are the people being verified, `reviewers` decide by hand,
/// `services` is the sidecar and the facade. Names and writers: docs/records.md.

const USERS = "_pb_users_auth_"; // PocketBase creates this collection itself

const PERSON = "@request.auth.collectionName = 'users'";
const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MIB = 1024 * 1024;

migrate(
  (app) => {
    app.save(
      new Collection({
        type: "auth",
        name: "reviewers",
        // An empty role may neither sign in nor use a token issued before: that is how a reviewer leaves.
        // (Deleting the record would blank `actions.reviewer`.)
        listRule: REVIEWER,
        viewRule: REVIEWER,
        authRule: "role != ''",
        authToken: { duration: 8 * HOUR },
        fields: [
          { type: "password", name: "password", system: true, hidden: true, required: true, min: 12 },
          {
            type: "text",
            name: "name",
            max: 200,
            required: true,
            presentable: true,
            help: "Shown beside the reviewer's decisions.",
          },
          {
            type: "select",
            name: "role",
            values: ["reviewer", "admin"],
            maxSelect: 1,
            help: "admin may also redact. Empty: may not sign in; use that instead of deleting a reviewer.",
          },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
      }),
    );

    app.save(
      new Collection({
        type: "auth",
        name: "services",
        authAlert: { enabled: false },
        authToken: { duration: DAY },
        fields: [
          { type: "password", name: "password", system: true, hidden: true, required: true, min: 12 },
          {
            type: "text",
            name: "name",
            max: 200,
            required: true,
            presentable: true,
            help: "Which program signs in with this record, for example: sidecar.",
          },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
      }),
    );

    const users = app.findCollectionByNameOrId(USERS);
    users.fields.getByName("name").presentable = true;
    // Kept only because a merging import of pb_schema.json cannot remove a field; out of the box any guest may read it.
    const avatar = users.fields.getByName("avatar");
    avatar.protected = true;
    avatar.maxSize = MIB;
    avatar.mimeTypes = ["image/jpeg", "image/png"];
    users.fields.getByName("email").required = false; // a person known only by a reference has none
    users.fields.addAt(
      6, // after PocketBase's own fields
      new TextField({
        name: "reference",
        max: 128,
        presentable: true,
        help: "A partner's own name for the person, never personal data. Set by a service when it creates the record.",
      }),
    );
    users.addIndex("idx_users_reference", true, "reference", "reference != ''");
    users.passwordAuth.identityFields = ["email", "reference"];
    users.listRule = `(${PERSON} && id = @request.auth.id) || ${SERVICE}`;
    users.viewRule = users.listRule;
    users.createRule = `${SERVICE} && reference != ''`;
    users.updateRule = `@request.body.reference:changed = false && ((${PERSON} && id = @request.auth.id) || (${SERVICE} && reference != ''))`;
    users.deleteRule = null;
    users.manageRule = `${SERVICE} && reference != ''`;
    users.authAlert.enabled = false;
    users.authToken.duration = DAY;
    app.save(users);
  },
  (app) => {
    const users = app.findCollectionByNameOrId(USERS);
    const self = "id = @request.auth.id";
    users.removeIndex("idx_users_reference");
    users.passwordAuth.identityFields = ["email"];
    users.fields.removeByName("reference");
    users.fields.getByName("email").required = true;
    users.fields.getByName("name").presentable = false;
    const avatar = users.fields.getByName("avatar");
    avatar.protected = false;
    avatar.maxSize = 0;
    avatar.mimeTypes = ["image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"];
    users.listRule = self;
    users.viewRule = self;
    users.createRule = "";
    users.updateRule = self;
    users.deleteRule = self;
    users.manageRule = null;
    users.authAlert.enabled = true;
    users.authToken.duration = 5 * DAY;
    app.save(users);

    app.delete(app.findCollectionByNameOrId("services"));
    app.delete(app.findCollectionByNameOrId("reviewers"));
  },
);
