//! Face match: judges the comparison of two faces.

use serde_json::json;

use crate::check::Judgement;
use crate::faces::Comparison;
use crate::policy::Policy;
use crate::reason::{Code, Reason};

/// Judges `comparison` of the liveness reference image with the document's portrait under `policy`.
pub fn judge(comparison: &Comparison, policy: &Policy) -> Judgement {
    let (similarities, unmatched): (&[Option<f64>], usize) = match comparison {
        Comparison::NoFace => (&[], 0),
        Comparison::Compared { similarities, unmatched } => (similarities, *unmatched),
    };
    let faces = similarities.len().saturating_add(unmatched);
    let similarity = match similarities {
        [only] if faces == 1 => only.filter(|s| (0.0..=100.0).contains(s)),
        _ => None,
    };
    let reason = match (faces, similarity) {
        (1, Some(s)) if reaches(s, policy.face_match_pass) => None,
        (1, Some(s)) if s >= policy.face_match_review => Some(Reason::new(
            Code::FaceSimilarityInReviewBand,
            format!("similarity {s:.2} is below {:.2}", policy.face_match_pass),
        )),
        (1, Some(s)) => {
            Some(Reason::new(Code::FaceMismatch, format!("similarity {s:.2} is below {:.2}", policy.face_match_review)))
        }
        (1, None) if unmatched == 1 => Some(Reason::new(Code::FaceMismatch, "the provider found no similarity")),
        // An error of the provider, not of the person: a reviewer compares instead.
        (1, None) => Some(Reason::new(Code::FaceSimilarityInReviewBand, "no usable similarity was given")),
        (0, _) => Some(Reason::new(Code::FaceComparisonNotPossible, "no face to compare")),
        (several, _) => {
            Some(Reason::new(Code::FaceComparisonNotPossible, format!("{several} faces where one was expected")))
        }
    };
    Judgement {
        reasons: reason.into_iter().collect(),
        scores: json!({ "similarity": similarity }),
        extracted: json!({ "target_faces": faces }),
    }
}

/// Whether `score` reaches `threshold`. A threshold of 0, or one that is not a finite number,
/// is never reached.
fn reaches(score: f64, threshold: f64) -> bool {
    threshold.is_finite() && threshold > 0.0 && score >= threshold
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::policy;

    fn compared(similarities: &[Option<f64>]) -> Comparison {
        Comparison::Compared { similarities: similarities.to_vec(), unmatched: 0 }
    }

    fn code(comparison: &Comparison, policy: &Policy) -> Option<Code> {
        let judgement = judge(comparison, policy);
        assert!(judgement.reasons.len() <= 1);
        judgement.reasons.first().map(|r| r.code)
    }

    #[test]
    fn the_bands_are_those_of_the_policy() {
        let policy = Policy { face_match_pass: 95.0, face_match_review: 80.0, ..policy() };
        for (similarity, expected) in [
            (100.0, None),
            (95.0, None),
            (94.99, Some(Code::FaceSimilarityInReviewBand)),
            (80.0, Some(Code::FaceSimilarityInReviewBand)),
            (79.99, Some(Code::FaceMismatch)),
            (0.0, Some(Code::FaceMismatch)),
        ] {
            assert_eq!(code(&compared(&[Some(similarity)]), &policy), expected, "{similarity}");
        }
    }

    #[test]
    fn exactly_one_face_is_compared() {
        for comparison in
            [Comparison::NoFace, compared(&[]), compared(&[Some(99.9), Some(3.0)]), compared(&[None, None])]
        {
            assert_eq!(code(&comparison, &policy()), Some(Code::FaceComparisonNotPossible));
        }
        let two_faces = Comparison::Compared { similarities: vec![Some(99.9)], unmatched: 1 };
        assert_eq!(code(&two_faces, &policy()), Some(Code::FaceComparisonNotPossible));
    }

    #[test]
    fn a_face_without_a_number_differs_from_a_face_without_similarity() {
        let unlike = Comparison::Compared { similarities: vec![], unmatched: 1 };
        assert_eq!(code(&unlike, &policy()), Some(Code::FaceMismatch));
        assert_eq!(code(&compared(&[Some(f64::NAN)]), &policy()), Some(Code::FaceSimilarityInReviewBand));
    }

    fn rank(code: Option<Code>) -> u8 {
        match code {
            None => 0,
            Some(Code::FaceSimilarityInReviewBand) => 1,
            Some(_) => 2,
        }
    }

    proptest! {
        #[test]
        fn only_a_valid_similarity_over_a_valid_threshold_passes(
            similarities in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..3),
            pass in any::<f64>(), review in any::<f64>(),
        ) {
            let policy = Policy { face_match_pass: pass, face_match_review: review, ..policy() };
            if code(&compared(&similarities), &policy).is_none() {
                prop_assert_eq!(similarities.len(), 1);
                let similarity = similarities[0].unwrap();
                prop_assert!((0.0..=100.0).contains(&similarity) && pass > 0.0 && similarity >= pass);
            }
        }

        #[test]
        fn a_higher_similarity_is_never_worse(
            low in 0.0..=100.0_f64, more in 0.0..=100.0_f64, pass in 0.0..=100.0_f64, review in 0.0..=100.0_f64,
        ) {
            let policy = Policy { face_match_pass: pass, face_match_review: review, ..policy() };
            let high = (low + more).min(100.0);
            let worse = rank(code(&compared(&[Some(low)]), &policy));
            prop_assert!(rank(code(&compared(&[Some(high)]), &policy)) <= worse);
        }
    }
}
