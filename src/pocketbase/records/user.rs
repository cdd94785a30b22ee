//! `users`: the people who are verified.

use serde::{Deserialize, Serialize};

use super::verification::StoredVerification;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::Filter;

/// The most records of a back relation that `PocketBase` returns with a record.
pub const EXPAND_LIMIT: usize = 1000;
/// The back relation from a person to their verifications.
pub const VERIFICATIONS_OF_USER: &str = "verifications_via_user";

/// A person with their verifications.
#[derive(Debug, Deserialize)]
pub struct UserRow {
    #[serde(default)]
    expand: UserChildren,
}

#[derive(Debug, Default, Deserialize)]
struct UserChildren {
    #[serde(default, rename = "verifications_via_user")]
    verifications: Vec<StoredVerification>,
}

impl UserRow {
    /// What is read of a person.
    pub fn fields() -> String {
        let fields = StoredVerification::FIELDS.split(',');
        fields.fold("id".to_owned(), |all, field| format!("{all},expand.{VERIFICATIONS_OF_USER}.{field}"))
    }

    /// The person's verifications, at most [`EXPAND_LIMIT`].
    pub fn verifications(self) -> Vec<StoredVerification> {
        self.expand.verifications
    }
}

/// A person of whom only the partner's reference is read.
#[derive(Deserialize)]
pub struct UserReference {
    pub id: String,
    pub reference: String,
}

impl UserReference {
    pub const FIELDS: &'static str = "id,reference";
}

/// The person with the partner's `reference`.
pub fn with_reference(reference: &str) -> Result<Filter> {
    Filter::default().equal("reference", reference)
}

/// A person who is known only by a partner's reference.
#[derive(Serialize)]
pub struct UserFields<'a> {
    pub id: &'a str,
    pub reference: &'a str,
    #[serde(flatten)]
    pub password: PasswordFields<'a>,
}

/// A new password. `PocketBase` asks for it twice.
#[derive(Serialize)]
pub struct PasswordFields<'a> {
    password: &'a str,
    #[serde(rename = "passwordConfirm")]
    confirmation: &'a str,
}

impl<'a> From<&'a str> for PasswordFields<'a> {
    fn from(password: &'a str) -> Self {
        Self { password, confirmation: password }
    }
}

/// The credentials of a person who is known by a partner's reference.
#[derive(Serialize)]
pub struct PasswordLogin<'a> {
    #[serde(rename = "identity")]
    reference: &'a str,
    #[serde(rename = "identityField")]
    field: &'static str,
    password: &'a str,
}

impl<'a> PasswordLogin<'a> {
    pub fn new(reference: &'a str, password: &'a str) -> Self {
        Self { reference, field: "reference", password }
    }
}
