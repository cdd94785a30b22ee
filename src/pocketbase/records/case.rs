//! `cases`: a view with one row for each verification and everything that belongs to it, all of one
//! moment.

use jiff::Timestamp;
use serde::Deserialize;

use super::action::ActionRow;
use super::check::CheckRow;
use super::columns::oldest_first;
use super::device_signal::SignalRow;
use super::document::DocumentRow;
use super::journal::EntryRow;
use super::liveness_session::SessionRow;
use crate::verification::{Case, DocumentType, Entry, Status, Verification};

#[derive(Debug, Deserialize)]
pub struct CaseRow {
    id: String,
    user: String,
    reference: String,
    policy_name: String,
    policy: String,
    declared_name: String,
    declared_date_of_birth: String,
    declared_document_type: String,
    declared_document_number: String,
    declared_country: String,
    locale: String,
    status: Status,
    version: u32,
    created: Timestamp,
    journal: Vec<EntryRow>,
    documents: Vec<DocumentRow>,
    liveness_sessions: Vec<SessionRow>,
    device_signals: Vec<SignalRow>,
    actions: Vec<ActionRow>,
    checks: Vec<CheckRow>,
}

impl From<CaseRow> for Case {
    fn from(row: CaseRow) -> Self {
        let record = Verification {
            id: row.id,
            user: row.user,
            reference: row.reference,
            policy_name: row.policy_name,
            policy: row.policy,
            declared_name: row.declared_name,
            // The collection's pattern admits days that no calendar has. Such a day counts as not
            // given.
            declared_date_of_birth: row.declared_date_of_birth.parse().ok(),
            declared_document_type: DocumentType::parse(&row.declared_document_type),
            declared_document_number: row.declared_document_number,
            declared_country: row.declared_country,
            locale: row.locale,
            status: row.status,
            version: row.version,
            created: row.created,
        };
        let mut journal: Vec<Entry> = row.journal.into_iter().map(Into::into).collect();
        journal.sort_by_key(|entry| entry.seq);
        Self {
            record,
            journal,
            documents: oldest_first(row.documents).map(Into::into).collect(),
            sessions: oldest_first(row.liveness_sessions).map(Into::into).collect(),
            signals: oldest_first(row.device_signals).map(Into::into).collect(),
            actions: oldest_first(row.actions).map(Into::into).collect(),
            checks: oldest_first(row.checks).filter_map(CheckRow::into_check).collect(),
        }
    }
}
