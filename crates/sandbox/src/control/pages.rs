//! The two pages.

use crate::wire::Reply;

/// Explains the sandbox.
pub fn index() -> Reply {
    Reply::html(include_str!("../pages/index.html"))
}

/// Stands in for the liveness challenge.
pub fn liveness() -> Reply {
    Reply::html(include_str!("../pages/liveness.html"))
}
