//! `identivia replay`: verifies a journal and recomputes the decisions in it.

use super::error::StartError;
use super::wiring::client;
use crate::config::Config;
use crate::verification::journal::chain;
use crate::verification::replay;

/// Verifies the journal of verification `id` and recomputes its decisions from the stored records.
/// Returns one line for each row and each decision; a broken chain or a different decision is an
/// error.
pub async fn replay(config: &Config, id: &str) -> Result<Vec<String>, StartError> {
    let client = client(config)?;
    let failed = |source| StartError::pocketbase(config, source);
    client.login().await.map_err(failed)?;
    let Some((case, _)) = client.read_case(id).await.map_err(failed)? else {
        return Err(StartError::Replay(format!("there is no verification {id}")));
    };
    let mut report: Vec<String> = case
        .journal
        .iter()
        .map(|e| format!("{:>4}  {}  {:<24} {}  {}", e.seq, e.created, e.name, e.by, e.data))
        .collect();
    chain::verify(id, &case.journal).map_err(|broken| StartError::Replay(broken.to_string()))?;
    report.push(format!("journal: {} rows, numbers without gaps, hashes chained", case.journal.len()));
    let Some(pinned) = case.pinned_policy() else { return Ok(report) };
    let Some(policy) = client.policy(pinned.id).await.map_err(failed)? else {
        return Err(StartError::Replay(format!("its policy {} no longer exists", pinned.id)));
    };
    let policy = policy.in_force(Some(pinned), config.face_liveness_threshold);
    for replayed in replay::replay(&case, &policy) {
        if !replayed.same {
            return Err(StartError::Replay(replayed.to_string()));
        }
        report.push(replayed.to_string());
    }
    Ok(report)
}
