/// `pocketbase setup`: applies the migrations and creates the accounts that the environment names, or sets their
/// passwords to those of the environment. Can be repeated. Used by docker-compose.yml and by `cargo run --bin dev`.
///
///   POCKETBASE_ADMIN_EMAIL, POCKETBASE_ADMIN_PASSWORD   the superuser: the admin UI's login
///   PB_USER_EMAIL, PB_USER_PASSWORD                     the sidecar's record in `services`
///   REVIEWER_EMAIL, REVIEWER_PASSWORD                   optional: a first reviewer, with the role admin
///   DEMO_USER_EMAIL, DEMO_USER_PASSWORD                 optional, for development: a person to verify

$app.rootCmd.addCommand(
  new Command({
    use: "setup",
    short: "Applies the migrations and creates the accounts that the environment names",
    run: () => {
      // Everything is inside the handler: PocketBase runs it without the rest of the file.
      const identities = [
        { collection: "_superusers", variable: "POCKETBASE_ADMIN", required: true },
        { collection: "services", variable: "PB_USER", required: true, fields: { name: "sidecar" } },
        { collection: "reviewers", variable: "REVIEWER", fields: { name: "First reviewer", role: "admin" } },
        { collection: "users", variable: "DEMO_USER", fields: { name: "Anna Maria Eriksson" } },
      ];

      const existing = (collection, email) => {
        try {
          return $app.findAuthRecordByEmail(collection, email);
        } catch {
          return null; // PocketBase throws where there is none
        }
      };

      const upsert = ({ collection, fields = {} }, email, password) => {
        let record = existing(collection, email);
        // An unchanged password is left alone: setting it would end every session.
        if (record?.validatePassword(password)) return "kept";
        const done = record ? "password changed" : "created";
        if (!record) {
          record = new Record($app.findCollectionByNameOrId(collection), fields);
          record.setEmail(email);
          record.setVerified(true);
        }
        record.setPassword(password);
        $app.save(record);
        return done;
      };

      try {
        $app.runAllMigrations();
      } catch (error) {
        console.error(`setup: the migrations could not be applied: ${error.message ?? error}`);
        $os.exit(1);
      }
      for (const identity of identities) {
        const { collection, variable, required } = identity;
        const [email, password] = ["EMAIL", "PASSWORD"].map((part) => $os.getenv(`${variable}_${part}`));
        if (!email && !password && !required) continue;
        try {
          if (!email || !password) throw new Error("both must be set");
          console.log(`setup: ${collection}: ${upsert(identity, email, password)}`);
        } catch (error) {
          console.error(`setup: ${variable}_EMAIL or ${variable}_PASSWORD cannot be used: ${error.message ?? error}`);
          $os.exit(1);
        }
      }
    },
  }),
);
