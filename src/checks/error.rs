//! Errors that keep a check from its finding, and what becomes of the work.

use crate::base::telemetry;
use crate::checks::finding::unpaid;
use crate::checks::work::WorkOutcome;
use crate::pocketbase::PocketbaseError;
use crate::pocketbase::records::Collection;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::verification::{Code, Reason};

/// Why a check has no finding. Says nothing about the person.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    /// A provider was not asked, or gave no answer that can be used.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Evidence could not be read from `PocketBase`.
    #[error(transparent)]
    Pocketbase(#[from] PocketbaseError),
    #[error("the case has no record that the work names")]
    RecordMissing,
    /// The storage lost the file, or does not have it yet. The person did nothing wrong.
    #[error("PocketBase's storage lacks a file that a record names")]
    FileMissing { collection: Collection, record: String },
    #[error("the service is stopping")]
    Stopping,
}

impl CheckError {
    /// Logs the error and returns the outcome of the work.
    pub(super) fn log_as_outcome(self) -> WorkOutcome {
        match self {
            CheckError::Provider(error) => log_provider_error(&error),
            CheckError::Pocketbase(error) => {
                tracing::warn!(error = telemetry::chain(&error), "evidence could not be fetched");
                failed("pocketbase.unavailable")
            }
            CheckError::RecordMissing => failed("record.missing"),
            CheckError::FileMissing { collection, record } => {
                let collection = collection.name();
                tracing::error!(collection, record, "PocketBase's storage lacks a file that a record names");
                failed("record.file_missing")
            }
            CheckError::Stopping => failed("service.stopping"),
        }
    }
}

fn failed(code: &'static str) -> WorkOutcome {
    WorkOutcome::Failed { code, retry_after: None }
}

fn log_provider_error(error: &ProviderError) -> WorkOutcome {
    if error.kind == ProviderErrorKind::Saturated {
        return WorkOutcome::Saturated { code: error.code() };
    }
    let chain = telemetry::chain(error);
    if !error.is_retryable() {
        // The same request would fail again, so a reviewer must decide.
        tracing::error!(error = chain, "the provider rejects our request");
        return unpaid(vec![Reason::new(Code::SystemInternalError, error.code())], Vec::new());
    }
    if error.needs_operator() {
        tracing::error!(error = chain, "a provider error that only an operator can fix");
    } else {
        tracing::warn!(error = chain, "a provider error");
    }
    WorkOutcome::Failed { code: error.code(), retry_after: error.retry_after() }
}
