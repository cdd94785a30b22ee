/// Settings of the server that the service depends on (batch) or that protect people (rate limits, logs).
/// The limits bind callers without a token only, so the sidecar is never throttled; signing in is limited for all.

const MIB = 1024 * 1024;

migrate(
  (app) => {
    const settings = app.settings();
    settings.meta.appName = "Identivia";
    settings.meta.senderName = "Identivia";

    settings.batch.enabled = true;
    settings.batch.maxRequests = 200;
    settings.batch.timeout = 10; // seconds
    settings.batch.maxBodySize = 32 * MIB; // five images of 5 MiB and their rows

    settings.rateLimits.enabled = true;
    settings.rateLimits.rules = [
      // One facade signs in many people from one address.
      { label: "users:auth", audience: "", duration: 10, maxRequests: 120 },
      { label: "services:auth", audience: "", duration: 10, maxRequests: 60 },
      { label: "reviewers:auth", audience: "", duration: 60, maxRequests: 10 },
      { label: "*:auth", audience: "", duration: 60, maxRequests: 10 },
      { label: "*:requestPasswordReset", audience: "", duration: 60, maxRequests: 3 },
      { label: "*:requestVerification", audience: "", duration: 60, maxRequests: 3 },
      // Protected files are asked for with ?token=, which the limiter takes for a guest.
      { label: "*:file", audience: "@guest", duration: 10, maxRequests: 3000 },
      { label: "*:create", audience: "@guest", duration: 10, maxRequests: 10 },
      { label: "/api/batch", audience: "@guest", duration: 10, maxRequests: 5 },
      { label: "/api/", audience: "@guest", duration: 10, maxRequests: 300 },
    ];

    // Failures only: the address of a good request may hold a name (filter) or a file token.
    settings.logs.minLevel = 4;
    settings.logs.logIP = false;
    settings.logs.maxDays = 3;
    app.save(settings);
  },
  (app) => {
    const settings = app.settings();
    settings.meta.appName = "Acme";
    settings.meta.senderName = "Support";

    settings.batch.enabled = false;
    settings.batch.maxRequests = 50;
    settings.batch.timeout = 3;
    settings.batch.maxBodySize = 0;

    settings.rateLimits.enabled = false;
    settings.rateLimits.rules = [
      { label: "*:auth", audience: "", duration: 3, maxRequests: 2 },
      { label: "*:create", audience: "", duration: 5, maxRequests: 20 },
      { label: "/api/batch", audience: "", duration: 1, maxRequests: 3 },
      { label: "/api/", audience: "", duration: 10, maxRequests: 300 },
    ];

    settings.logs.minLevel = 0;
    settings.logs.logIP = true;
    settings.logs.maxDays = 5;
    app.save(settings);
  },
);
