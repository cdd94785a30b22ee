//! Test that some input yields every `document.` code of the catalogue. Otherwise a code would be
//! documented and never occur.

use std::collections::BTreeSet;

use super::image::{Limits, prepare, tests::flawed};
use super::tests::flaws::CASES;
use super::tests::passport;
use super::{Judgement, front};
use crate::reason::Code;
use crate::rules::document::judge::duplicates::{Duplicates, Listed, Listing, MatchedBy, PriorUse};
use crate::rules::document::readings::transcription::Suspicion;
use crate::rules::document::vocabulary::{Side, SuspicionKind};
use crate::sample::policy;

/// The codes that the submissions of the other tests yield.
fn codes_of_submissions() -> Vec<Code> {
    CASES
        .iter()
        .flat_map(|(_, make, change, _)| {
            let mut submission = make();
            change(&mut submission);
            submission.codes()
        })
        .collect()
}

/// The codes that a model's suspicions yield.
fn of_suspicions() -> Vec<Code> {
    const EVERY: [SuspicionKind; 10] = [
        SuspicionKind::Screen,
        SuspicionKind::PrintedCopy,
        SuspicionKind::Screenshot,
        SuspicionKind::AlteredText,
        SuspicionKind::AlteredPortrait,
        SuspicionKind::Template,
        SuspicionKind::Covered,
        SuspicionKind::Damaged,
        SuspicionKind::InstructionText,
        SuspicionKind::Other,
    ];
    let suspected = EVERY.map(|kind| {
        let mut submission = passport();
        submission.reading().suspicions.push(Suspicion { kind, place: String::new(), reason: String::new() });
        submission.codes()
    });
    suspected.concat()
}

/// The codes that flawed pictures yield when the reading is sound.
fn of_pictures() -> Vec<Code> {
    let judged = flawed().into_iter().flat_map(|(picture, _)| {
        let mut submission = passport();
        submission.front = prepare(&picture, Side::Back, &Limits::default()).expect("a picture");
        submission.codes()
    });
    judged.collect()
}

fn of_policies() -> Vec<Code> {
    let mut closed = policy();
    closed.denied_countries = vec!["UTO".to_owned()];
    passport().judge_under(&closed).reasons.iter().map(|reason| reason.code).collect()
}

/// The codes that the search for duplicates and listed documents yields.
fn of_known_documents() -> Vec<Code> {
    let listed = |listing| Listed { record: "knowndocument01".to_owned(), listing };
    let seen = PriorUse {
        verification: "verification002".to_owned(),
        user: "user00000000002".to_owned(),
        reference: String::new(),
        matched_by: MatchedBy::Number,
    };
    let known = Duplicates {
        others: vec![seen],
        listed: ["compromised", "blocklisted"].map(|word| listed(Listing::parse(word))).into(),
        ..Duplicates::default()
    };
    let mut judgement = Judgement::default();
    known.record_in(&mut judgement);
    judgement.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn every_document_code_of_the_catalogue_is_yielded() {
    let mut yielded: BTreeSet<Code> = BTreeSet::new();
    yielded.extend(codes_of_submissions());
    yielded.extend(of_suspicions());
    yielded.extend(of_pictures());
    yielded.extend(of_policies());
    yielded.extend(of_known_documents());
    yielded.extend(front::<()>(None).err().map(|reason| reason.code));
    let of_documents = Code::ALL.iter().filter(|code| code.as_str().starts_with("document."));
    let missing: Vec<&str> = of_documents.filter(|code| !yielded.contains(code)).map(|code| code.as_str()).collect();
    assert!(missing.is_empty(), "nothing yields {missing:?}");
}
