/// `actions.superuser`: which superuser created an action. Written by the hook in pb_commands/actions.pb.js; no other
/// caller may send it. The view `cases` shows it to the service, which names the author in the journal. The view keeps its
/// name: it only gains a key, which the sidecars of the previous version ignore.

const UNSENT = "@request.body.superuser:isset = false";

const SHOWN_BEFORE = "'reviewer', r.reviewer, 'created', r.created";
const SHOWN = "'reviewer', r.reviewer, 'superuser', r.superuser, 'created', r.created";

const BY_BEFORE = "Who: an instance of the service, user, superuser, or reviewer:<id>.";
const BY = "Who: an instance of the service, user, reviewer:<id>, or superuser:<id>. Rows of earlier versions have no ids.";

const REVIEWER_BEFORE = "The reviewer, when they acted. Leave this and user empty when you act as superuser.";
const REVIEWER = "The reviewer, when they acted. Leave this and user empty when you act as superuser: the server stores your id.";

const say = (collection, field, help) => {
  collection.fields.getByName(field).help = help;
};

const show = (app, before, after) => {
  const cases = app.findCollectionByNameOrId("cases");
  if (cases.viewQuery.split(before).length !== 2) throw new Error(`the query of cases must have once: ${before}`);
  cases.viewQuery = cases.viewQuery.replace(before, after);
  app.save(cases);
};

const sayBy = (app, help) => {
  const journal = app.findCollectionByNameOrId("journal");
  say(journal, "by", help);
  app.save(journal);
};

migrate(
  (app) => {
    const actions = app.findCollectionByNameOrId("actions");
    actions.fields.add(
      new TextField({
        name: "superuser",
        max: 15,
        pattern: "^[a-z0-9]{0,15}$",
        help: "Set by the server: the superuser who created this action in the admin UI.",
      }),
    );
    say(actions, "reviewer", REVIEWER);
    actions.createRule = `${UNSENT} && (${actions.createRule})`;
    app.save(actions);
    show(app, SHOWN_BEFORE, SHOWN);
    sayBy(app, BY);
  },
  (app) => {
    sayBy(app, BY_BEFORE);
    show(app, SHOWN, SHOWN_BEFORE); // before the column goes that it reads
    const actions = app.findCollectionByNameOrId("actions");
    actions.fields.removeByName("superuser");
    say(actions, "reviewer", REVIEWER_BEFORE);
    actions.createRule = actions.createRule.slice(`${UNSENT} && (`.length, -1);
    app.save(actions);
  },
);
