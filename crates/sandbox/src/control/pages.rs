//! The two HTML pages.

use crate::wire::Reply;

/// The page that explains the sandbox.
pub fn index() -> Reply {
    Reply::html(include_str!("../pages/index.html"))
}

/// The page that replaces the camera of a liveness challenge.
pub fn liveness() -> Reply {
    Reply::html(include_str!("../pages/liveness.html"))
}
