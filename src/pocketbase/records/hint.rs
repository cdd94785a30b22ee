//! What an event of the realtime stream says about a record of any collection.

use serde::Deserialize;

use super::collection::Collection;

/// The fields that are asked for, as few as a hint needs.
pub fn hint_fields(collection: Collection) -> &'static str {
    match collection {
        Collection::Heartbeats => "id,instance,beat",
        Collection::Verifications | Collection::Policies | Collection::Users | Collection::WebhookEndpoints => "id",
        _ => "id,verification",
    }
}

#[derive(Deserialize)]
pub struct HintRow {
    pub id: String,
    /// Empty where the collection has no such field.
    #[serde(default)]
    pub verification: String,
    #[serde(default)]
    pub instance: Option<String>,
    #[serde(default)]
    pub beat: u64,
}
