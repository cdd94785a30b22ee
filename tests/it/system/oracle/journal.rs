//! The promises about the journal of one verification.

use std::collections::BTreeMap;

use identivia::verification::journal::chain;
use identivia::verification::{Event, Source, Status, Work, replay};

use super::{Stored, unless};

const OPEN_SESSION: &str = "open_session";

/// Checks that numbers have no gaps, hashes are chained, and the record's version is the last
/// number.
pub fn is_whole(stored: &Stored) -> Vec<String> {
    let case = &stored.case;
    let mut found: Vec<String> =
        chain::verify(case.id(), &case.journal).err().iter().map(ToString::to_string).collect();
    let version = stored.record["version"].as_u64();
    found.extend(unless(version == Some(case.seq().into()), || {
        format!("the record says version {version:?}, the journal ends at {}", case.seq())
    }));
    found
}

/// Checks that an attempt has one automatic decision with its `checks` row. A final decision stands
/// until the verification is reopened.
pub fn decides_once(stored: &Stored) -> Vec<String> {
    let mut found = Vec::new();
    let mut attempts: BTreeMap<u32, u32> = BTreeMap::new();
    let mut standing = None;
    for entry in &stored.case.journal {
        match &entry.event {
            Event::Decided { attempt, status, source, .. } => {
                if let Some(first) = standing {
                    found.push(format!("row {} decides although row {first} has decided for good", entry.seq));
                }
                if *source == Source::Automatic {
                    *attempts.entry(*attempt).or_default() += 1;
                }
                standing = matches!(status, Status::Approved | Status::Declined).then_some(entry.seq);
            }
            Event::Reopened {} => standing = None,
            _ => {}
        }
    }
    let twice = attempts.iter().filter(|(_, times)| **times > 1);
    found.extend(twice.map(|(attempt, times)| format!("attempt {attempt} was decided {times} times")));
    let mut rows = stored.decisions.clone();
    rows.sort_unstable();
    let journalled: Vec<u32> = attempts.keys().copied().collect();
    found.extend(unless(rows == journalled, || {
        format!("decisions are stored for attempts {rows:?}, journalled for {journalled:?}")
    }));
    found
}

/// Checks that the verdict follows from the stored records, digest included.
pub fn recomputes(stored: &Stored) -> Vec<String> {
    let replayed = replay::replay(&stored.case, &stored.policy);
    let different = replayed.iter().filter(|replayed| !replayed.same);
    different
        .map(|r| format!("row {} says {}, its records say {:?} (or another digest)", r.seq, r.stored, r.recomputed))
        .collect()
}

/// Checks that no instance claims work that another one holds: the earlier claim must have ended,
/// run out, or belong to the same instance before its restart.
pub fn claims_exclude(stored: &Stored) -> Vec<String> {
    let mut found = Vec::new();
    let mut last: BTreeMap<String, (u32, &str, jiff::Timestamp)> = BTreeMap::new();
    for entry in &stored.case.journal {
        match &entry.event {
            Event::WorkClaimed { work, seconds } => {
                for work in work {
                    let seconds = work.seconds().min(*seconds);
                    let until = entry.created + jiff::SignedDuration::from_secs(seconds.into());
                    let before = last.insert(name(work), (entry.seq, &entry.by, until));
                    if let Some((seq, by, until)) = before
                        && by != entry.by
                        && entry.created < until
                    {
                        found.push(format!(
                            "row {} takes {} from {by}, who holds it by row {seq}",
                            entry.seq,
                            name(work)
                        ));
                    }
                }
            }
            Event::WorkFailed { work, .. } => {
                last.remove(&name(work));
            }
            Event::CheckFinished { claim, kind, .. } => {
                let kind = format!("{kind} ");
                last.retain(|name, (seq, ..)| seq != claim || !name.starts_with(&kind));
            }
            Event::LivenessSessionOpened { claim, .. } => {
                last.retain(|name, (seq, ..)| seq != claim || !name.starts_with(OPEN_SESSION));
            }
            Event::LivenessSessionEnded { liveness_session, .. } => {
                last.retain(|name, _| !name.ends_with(liveness_session.as_str()));
            }
            _ => {}
        }
    }
    found
}

/// Checks that a result names a claim of its writer on that very work, and that each item of a
/// claim is answered once.
pub fn answers_its_own_claims(stored: &Stored) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: BTreeMap<(u32, String), &str> = BTreeMap::new();
    for entry in &stored.case.journal {
        let answered = match &entry.event {
            Event::WorkClaimed { work, .. } => {
                open.extend(work.iter().map(|work| ((entry.seq, answer_of(work)), entry.by.as_str())));
                None
            }
            Event::CheckFinished { claim: 0, .. } => None,
            Event::CheckFinished { claim, kind, attempt, .. } => Some((*claim, format!("{kind} {attempt}"))),
            Event::LivenessSessionOpened { claim, liveness_session, .. } => Some((*claim, liveness_session.clone())),
            Event::WorkFailed { claim, work, .. } => Some((*claim, answer_of(work))),
            _ => None,
        };
        if let Some(answered) = answered {
            let by = open.remove(&answered);
            found.extend(unless(by == Some(&entry.by), || {
                format!("row {} by {} answers claim {} of {by:?} on {}", entry.seq, entry.by, answered.0, answered.1)
            }));
        }
    }
    found
}

fn answer_of(work: &Work) -> String {
    match work.check() {
        Some(kind) => format!("{kind} {}", work.attempt()),
        None => work.evidence().to_owned(),
    }
}

fn name(work: &Work) -> String {
    let kind = work.check().map_or(OPEN_SESSION, identivia::verification::Kind::as_str);
    format!("{kind} {} {}", work.attempt(), work.evidence())
}
