//! What can go wrong with `PocketBase`, sorted by what the caller does about it.

use std::fmt;

/// The result of an operation on `PocketBase`.
pub type Result<T> = std::result::Result<T, PocketbaseError>;

/// A field that `PocketBase` refused, with its stable code; never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The field's name; in a batch after the name of its collection, as in `journal.seq`.
    pub field: String,
    /// `PocketBase`'s code for the reason, such as `validation_required` or
    /// `validation_not_unique`.
    pub code: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.field, self.code)
    }
}

/// Why an operation on `PocketBase` did not succeed. Each variant says what to do about it.
///
/// `operation` is what was attempted, `status` the HTTP status, and `source` the transport's error
/// without the address. No variant carries a body, a value of a record, or a token.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are explained above, once for all variants")]
pub enum PocketbaseError {
    /// Nothing was changed: the request did not reach the server, or a read got no answer. Try
    /// again later.
    #[error("{operation}: PocketBase cannot be reached; check its address and that it runs")]
    Unreachable {
        operation: &'static str,
        #[source]
        source: Option<reqwest::Error>,
    },
    /// A write was sent and no answer came: it may have been stored. Read the state back before
    /// writing again.
    #[error("{operation}: no answer came, so it is unknown whether the write was stored; read the state back")]
    Unknown {
        operation: &'static str,
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Refused for now, because of throttling, a lock or a full disk. Nothing was changed. Try
    /// again later.
    #[error(
        "{operation}: PocketBase cannot do this now (status {status}); it is tried again later. If this lasts, check its \
         disk space and its log"
    )]
    Transient { operation: &'static str, status: u16 },
    /// The service's account is not accepted, or the rules do not permit the operation. Claim no
    /// more work and alert an operator.
    #[error(
        "{operation}: PocketBase refuses the service's account (status {status}); check PB_USER_EMAIL, PB_USER_PASSWORD and \
         the collection's rules"
    )]
    Unauthorized { operation: &'static str, status: u16 },
    /// The record does not exist. (The session was proved, so this is not the answer to a lost
    /// one.)
    #[error("{operation}: there is no such record")]
    NotFound { operation: &'static str },
    /// `PocketBase` refused `fields`. Trying again cannot help.
    #[error("{operation}: PocketBase refused {}", list(.fields))]
    Invalid { operation: &'static str, fields: Vec<Refused> },
    /// A unique index already has the value of `field`.
    #[error("{operation}: {field} is taken already")]
    Conflict { operation: &'static str, field: String },
    /// The journal that was read has fewer `rows` than the `version` of its record says, so it is
    /// not whole. No decision may be based on it.
    #[error(
        "verification {verification}: its version is {version} but its journal has {rows} rows; if this lasts, journal rows \
         were deleted"
    )]
    Stale { verification: String, version: u32, rows: usize },
    /// This version of the sidecar cannot interpret the answer. `what` says why, without quoting
    /// it.
    #[error(
        "{operation}: PocketBase's answer cannot be used: {what}; check that the schema is the one of this version"
    )]
    Unexpected { operation: &'static str, what: String },
    /// The policy `name` in the record `record` cannot be used. A policy holds no personal data, so
    /// `what` may quote it.
    #[error("{operation}: policies record {record} ({name}) cannot be used: {what}; correct it in a new version")]
    UnusablePolicy { operation: &'static str, record: String, name: String, what: String },
    /// The caller asked for something that cannot be sent, such as a filter for text with control
    /// characters.
    #[error("{operation}: {what}")]
    Misuse { operation: &'static str, what: &'static str },
}

/// What a caller does about a [`PocketbaseError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try again after a pause.
    Later,
    /// Read the state back, then decide again.
    ReadBack,
    /// Wait for an operator: nothing works until the account or the rules are corrected.
    Login,
    /// Give up: trying the same again cannot help.
    Never,
}

impl PocketbaseError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. } | Self::Transient { .. } | Self::Stale { .. } => Remedy::Later,
            Self::Unknown { .. } => Remedy::ReadBack,
            Self::Unauthorized { .. } => Remedy::Login,
            Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Conflict { .. }
            | Self::Unexpected { .. }
            | Self::UnusablePolicy { .. }
            | Self::Misuse { .. } => Remedy::Never,
        }
    }
}

fn list(fields: &[Refused]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
