//! The table of routes: the one place that says which addresses exist and who may use them.

use http::Method;
use matchit::Router;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// How the service is.
    Health,
    /// Starts a verification.
    Verify,
    /// Hands in a document.
    Document,
    /// Asks for a liveness challenge, or says that it was taken.
    Liveness,
    /// Where a verification stands.
    Status,
    /// The description of all this.
    OpenApi,
    /// The description for people.
    Docs,
    /// RequestMetrics for Prometheus.
    Metrics,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, uncounted: probes come often.
    Probe,
    /// Anybody, counted by address.
    Public,
    /// Holders of an API key, and people about themselves.
    Caller,
    /// Holders of an API key.
    Server,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Method.
    pub method: &'static Method,
    /// Path with parameters in braces.
    pub pattern: &'static str,
    /// What it does.
    pub operation: Operation,
    /// Who may.
    pub access: Access,
}

const fn route(method: &'static Method, pattern: &'static str, operation: Operation, access: Access) -> Route {
    Route { method, pattern, operation, access }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    route(&Method::GET, "/health", Operation::Health, Access::Probe),
    route(&Method::POST, "/api/v1/verify", Operation::Verify, Access::Caller),
    route(&Method::POST, "/api/v1/document", Operation::Document, Access::Caller),
    route(&Method::POST, "/api/v1/liveness", Operation::Liveness, Access::Caller),
    route(&Method::GET, "/api/v1/status/{id}", Operation::Status, Access::Caller),
    route(&Method::GET, "/openapi.json", Operation::OpenApi, Access::Public),
    route(&Method::GET, "/docs", Operation::Docs, Access::Public),
    route(&Method::GET, "/metrics", Operation::Metrics, Access::Server),
];

/// Where a request leads.
#[derive(Debug, PartialEq)]
pub enum Match<'p> {
    /// To a route, with the value of its parameter, if it has one.
    Route(&'static str, Operation, Access, Option<&'p str>),
    /// To an address that takes other methods: its pattern, and the methods for `Allow`.
    OtherMethod(&'static str, String),
    /// Nowhere.
    Nothing,
}

/// The table, ready for look-ups.
pub struct Table(Router<Vec<&'static Route>>);

impl Table {
    /// The table of [`ROUTES`].
    pub fn new() -> Self {
        let mut router: Router<Vec<&'static Route>> = Router::new();
        for route in ROUTES {
            let same: Vec<_> = ROUTES.iter().filter(|other| other.pattern == route.pattern).collect();
            // A pattern that stands twice is refused the second time, when its routes are in already. Anything else
            // cannot be wrong with constant patterns; a test walks through all of them.
            let _ = router.insert(route.pattern, same);
        }
        Self(router)
    }

    /// Where `method` `path` leads. A HEAD goes where a GET goes; hyper leaves the body out.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Match<'p> {
        let Ok(found) = self.0.at(path) else { return Match::Nothing };
        let method = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(route) = found.value.iter().find(|route| route.method == method) {
            return Match::Route(route.pattern, route.operation, route.access, found.params.get("id"));
        }
        let pattern = found.value.first().map_or("", |route| route.pattern);
        Match::OtherMethod(pattern, allow(found.value))
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

fn allow(routes: &[&Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_pattern() {
        let table = Table::new();
        for route in ROUTES {
            let path = route.pattern.replace("{id}", "abcdefghijklmno");
            let id = route.pattern.contains("{id}").then_some("abcdefghijklmno");
            let wanted = Match::Route(route.pattern, route.operation, route.access, id);
            assert_eq!(table.find(route.method, &path), wanted);
        }
    }

    #[test]
    fn other_methods_and_addresses_are_told_apart() {
        let table = Table::new();
        let other = |pattern, methods: &str| Match::OtherMethod(pattern, methods.to_owned());
        assert_eq!(table.find(&Method::GET, "/api/v1/verify"), other("/api/v1/verify", "POST, OPTIONS"));
        assert_eq!(table.find(&Method::DELETE, "/health"), other("/health", "GET, HEAD, OPTIONS"));
        assert!(matches!(table.find(&Method::HEAD, "/health"), Match::Route("/health", ..)));
        for nowhere in
            ["/", "/api/v1/status", "/api/v1/status/", "/api/v1/status/a/b", "/HEALTH", "/health/", "//health"]
        {
            assert_eq!(table.find(&Method::GET, nowhere), Match::Nothing, "{nowhere}");
        }
    }
}
