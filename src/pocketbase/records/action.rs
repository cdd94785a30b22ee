//! `actions`: what people, reviewers and operators did to a verification.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::columns::{Aged, CREATED, list_or_null};
use crate::pocketbase::filter::Filter;
use crate::verification::{Action, ActionKind, Actor, Kind};

/// An action of a person, as the facade records it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewAction {
    /// Id of the verification.
    pub verification: String,
    /// Id of the person's record in `users`, which must be the verification's.
    pub user: String,
    /// What the person did.
    #[serde(serialize_with = "action")]
    pub action: ActionKind,
    /// Id of the challenge for [`ActionKind::LivenessCompleted`]; else empty.
    pub liveness_session: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn action<S: Serializer>(action: &ActionKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(action.as_str())
}

/// The actions that no journal row refers to, from `since` on where it is given.
pub fn unhandled(since: Option<Timestamp>) -> Filter {
    let filter = Filter::default().unreferenced_by("journal_via_action");
    match since {
        Some(since) => filter.since(CREATED, since),
        None => filter,
    }
}

#[derive(Debug, Deserialize)]
pub struct ActionRow {
    id: String,
    action: String,
    liveness_session: String,
    reason: String,
    #[serde(deserialize_with = "list_or_null")]
    redo: Vec<String>,
    user: String,
    reviewer: String,
    // Absent from the view until the migration that added it has run.
    #[serde(default)]
    superuser: String,
    created: Timestamp,
}

impl Aged for ActionRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<ActionRow> for Action {
    fn from(row: ActionRow) -> Self {
        let actor = if !row.reviewer.is_empty() {
            Actor::Reviewer(row.reviewer)
        } else if !row.user.is_empty() {
            Actor::User
        } else {
            Actor::Superuser(Some(row.superuser).filter(|id| !id.is_empty()))
        };
        Self {
            id: row.id,
            kind: ActionKind::parse(&row.action),
            name: row.action,
            liveness_session: row.liveness_session,
            reason: row.reason,
            redo: row.redo.iter().filter_map(|kind| Kind::parse(kind)).collect(),
            actor,
            created: row.created,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_action_names_its_author() {
        let author = |fields: Value| {
            let mut row = json!({
                "id": "action000000001", "action": "approve", "liveness_session": "", "reason": "seen", "redo": null,
                "user": "", "reviewer": "", "created": "2026-11-28 12:00:00.000Z",
            });
            row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            Action::from(serde_json::from_value::<ActionRow>(row).unwrap()).actor.label()
        };
        assert_eq!(author(json!({ "reviewer": "reviewer0000001" })), "reviewer:reviewer0000001");
        assert_eq!(author(json!({ "superuser": "superuser000001" })), "superuser:superuser000001");
        assert_eq!(author(json!({ "superuser": "" })), "superuser", "stored before the hook was there");
        assert_eq!(author(json!({})), "superuser", "from a view without the field");
        // The sidecar, logged in as a superuser, records an action of the person.
        assert_eq!(author(json!({ "user": "person000000001", "superuser": "superuser000001" })), "user");
    }
}
