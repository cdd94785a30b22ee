//! `policies`: each version of a policy is a record of its own, and never changes.

use serde::{Deserialize, de};
use serde_json::Value;

use crate::pocketbase::error::{self, PocketbaseError};
use crate::pocketbase::filter::Filter;
use crate::verification::Policy;

/// Name of the policy of verifications that name none.
pub const DEFAULT_POLICY: &str = "default";

pub const HIGHEST_VERSION_FIRST: &str = "-version";

/// A policy of which only the name is read.
#[derive(Deserialize)]
pub struct PolicyName {
    pub name: String,
}

impl PolicyName {
    pub const FIELDS: &'static str = "name";
}

/// The versions of the policy `name`.
pub fn named(name: &str) -> error::Result<Filter> {
    Filter::default().equal("name", name)
}

/// The policy of a record.
pub fn parse_policy(stored: Value) -> error::Result<Policy> {
    let text = |field: &str| stored[field].as_str().unwrap_or_default().to_owned();
    let (record, name) = (text("id"), format!("{}, version {}", text("name"), stored["version"]));
    from_fields(stored).map_err(|error| PocketbaseError::UnusablePolicy {
        operation: "read a policy",
        record,
        name,
        what: error.to_string(),
    })
}

fn from_fields(stored: Value) -> Result<Policy, serde_json::Error> {
    let Value::Object(mut fields) = stored else {
        return Err(de::Error::custom("not an object"));
    };
    // A JSON field that was never set is stored as null, which here means the field's default.
    fields.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(fields))
}
