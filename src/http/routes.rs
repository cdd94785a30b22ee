//! The table of routes: the one list of addresses and of who may use them.

use http::Method;
use matchit::Router;

/// Operation behind a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reports the health of the service.
    Health,
    /// Starts a verification.
    Verify,
    /// Submits a document.
    Document,
    /// Requests a liveness challenge, or reports that the person finished it.
    Liveness,
    /// Shows the state of a verification.
    Status,
    /// Describes the API for programs.
    OpenApi,
    /// Describes the API for people.
    Docs,
    /// Renders metrics for Prometheus.
    Metrics,
}

/// Callers that may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Any client, without a quota: probes come often.
    Probe,
    /// Any client, counted by address.
    Public,
    /// Holders of an API key, and people for their own verifications.
    Caller,
    /// Holders of an API key.
    Server,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static Method,
    /// Path, with parameters in braces.
    pub pattern: &'static str,
    pub operation: Operation,
    pub access: Access,
}

const fn route(method: &'static Method, pattern: &'static str, operation: Operation, access: Access) -> Route {
    Route { method, pattern, operation, access }
}

/// All routes.
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

/// Result of looking up a request.
#[derive(Debug, PartialEq)]
pub enum Match<'p> {
    /// A route, with the value of its parameter if it has one.
    Route(&'static str, Operation, Access, Option<&'p str>),
    /// The address exists, but not with this method: its pattern, and the methods for `Allow`.
    OtherMethod(&'static str, String),
    /// No route has this address.
    NotFound,
}

/// Look-up table of [`ROUTES`].
pub struct Table(Router<Vec<&'static Route>>);

impl Table {
    /// Builds the table of [`ROUTES`].
    pub fn new() -> Self {
        let mut router: Router<Vec<&'static Route>> = Router::new();
        for route in ROUTES {
            let same: Vec<_> = ROUTES.iter().filter(|other| other.pattern == route.pattern).collect();
            // A pattern with two methods is refused the second time; its routes were inserted the
            // first time. No other error can happen with constant patterns: a test looks up each of
            // them.
            let _ = router.insert(route.pattern, same);
        }
        Self(router)
    }

    /// Looks up `method` and `path`. HEAD uses the route of GET; hyper leaves the body out.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Match<'p> {
        let Ok(found) = self.0.at(path) else { return Match::NotFound };
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
    fn every_route_is_found_by_its_pattern() {
        let table = Table::new();
        for route in ROUTES {
            let path = route.pattern.replace("{id}", "abcdefghijklmno");
            let id = route.pattern.contains("{id}").then_some("abcdefghijklmno");
            let wanted = Match::Route(route.pattern, route.operation, route.access, id);
            assert_eq!(table.find(route.method, &path), wanted);
        }
    }

    #[test]
    fn a_wrong_method_differs_from_a_wrong_address() {
        let table = Table::new();
        let other = |pattern, methods: &str| Match::OtherMethod(pattern, methods.to_owned());
        assert_eq!(table.find(&Method::GET, "/api/v1/verify"), other("/api/v1/verify", "POST, OPTIONS"));
        assert_eq!(table.find(&Method::DELETE, "/health"), other("/health", "GET, HEAD, OPTIONS"));
        assert!(matches!(table.find(&Method::HEAD, "/health"), Match::Route("/health", ..)));
        for nowhere in
            ["/", "/api/v1/status", "/api/v1/status/", "/api/v1/status/a/b", "/HEALTH", "/health/", "//health"]
        {
            assert_eq!(table.find(&Method::GET, nowhere), Match::NotFound, "{nowhere}");
        }
    }
}
