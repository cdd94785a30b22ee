//! What can go wrong with `PocketBase`, sorted by what to do next.

use std::fmt;

/// The result of talking to `PocketBase`.
pub type Result<T> = std::result::Result<T, PocketbaseError>;

/// A field that `PocketBase` refused, with its stable code; never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Field name; in a batch with the collection before it: `journal.seq`.
    pub field: String,
    /// `validation_required`, `validation_not_unique` ...
    pub code: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.field, self.code)
    }
}

/// Why an operation on `PocketBase` did not succeed. Variants say what to do next; none carries a body, a value of a record
/// or a token.
#[derive(Debug, thiserror::Error)]
pub enum PocketbaseError {
    /// Nothing was changed: the server did not take the request, or a read got no answer. Try again later.
    #[error("{operation}: PocketBase cannot be reached; check its address and that it runs")]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// The transport's error, without the address.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// A write was sent and no answer came: it may have been stored. Read back before writing again.
    #[error("{operation}: no answer came, so the write may or may not have been stored; read again")]
    Unknown {
        /// What was attempted.
        operation: &'static str,
        /// The transport's error, without the address.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Refused for now: throttled, a lock, a full disk. Nothing was changed. Try again later.
    #[error(
        "{operation}: PocketBase cannot do it now (status {status}); later. If it lasts, look at its disk space and log"
    )]
    Transient {
        /// What was attempted.
        operation: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The service's login is not accepted, or its rules do not let it do this. Stop claiming work and tell an operator.
    #[error(
        "{operation}: PocketBase does not let us (status {status}); check PB_USER_EMAIL, PB_USER_PASSWORD and the collection's rules"
    )]
    Unauthorized {
        /// What was attempted.
        operation: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The record is not there (the login was proved, so this is not a lost session).
    #[error("{operation}: there is no such record")]
    NotFound {
        /// What was attempted.
        operation: &'static str,
    },
    /// Fields were refused; trying again cannot help.
    #[error("{operation}: PocketBase refused {}", list(.fields))]
    Invalid {
        /// What was attempted.
        operation: &'static str,
        /// What was refused.
        fields: Vec<Refused>,
    },
    /// A unique index says that it exists already.
    #[error("{operation}: {field} is taken already")]
    Conflict {
        /// What was attempted.
        operation: &'static str,
        /// Which field.
        field: String,
    },
    /// What was read cannot be the whole truth (a journal shorter than the record's version). Nothing may be concluded.
    #[error(
        "verification {verification}: its version is {version} but its journal has {rows} rows; if this lasts, somebody deleted journal rows"
    )]
    Stale {
        /// Which case.
        verification: String,
        /// The record's `version`.
        version: u32,
        /// Rows that were read.
        rows: usize,
    },
    /// The answer is not what this version of the sidecar understands.
    #[error(
        "{operation}: PocketBase's answer cannot be read: {what}; check that the schema is the one of this version"
    )]
    Unexpected {
        /// What was attempted.
        operation: &'static str,
        /// What is wrong with it, in our words.
        what: String,
    },
    /// A policy is there and cannot be used. A policy holds nothing about a person, so what is wrong with it may be quoted.
    #[error("{operation}: policies record {record} ({name}) cannot be used: {what}; correct it in a new version")]
    UnusablePolicy {
        /// What was attempted.
        operation: &'static str,
        /// The record.
        record: String,
        /// Name and version of the policy, as far as they can be read.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// The caller asked for something that can never be sent, such as text with control characters in a filter.
    #[error("{operation}: {what}")]
    Misuse {
        /// What was attempted.
        operation: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try again after a pause.
    Later,
    /// Read the state back, then decide again.
    ReadBack,
    /// Nothing works until somebody looks at the login or the rules.
    Login,
    /// Trying the same again cannot help.
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
