//! The reason catalogue: every code a check or a decision can carry.
//!
//! A code says *what was found*. What *follows* is its [`Disposition`], which a policy may
//! override. People never see codes of fraud: these share one neutral message key for each domain,
//! so that an attacker learns nothing from the answer.

use serde::{Deserialize, Serialize};

/// What a reason is about, and therefore who can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The person can do better, with another picture or another try.
    UserAction,
    /// Something suggests fraud.
    Fraud,
    /// Two pieces of information contradict each other, or one is out of range.
    Data,
    /// The operator's policy forbids it.
    Policy,
    /// A provider or the service failed, not the person.
    Technical,
}

/// What follows from a reason, from the mildest to the most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It is recorded and changes nothing.
    Inform,
    /// The service tries again; the reason says nothing about the person.
    Retry,
    /// The person must submit new evidence.
    Resubmit,
    /// A reviewer must decide.
    Review,
    /// The verification is declined.
    Decline,
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Stored spelling, `domain.snake_case`.
    pub code: &'static str,
    /// What the code is about.
    pub category: Category,
    /// What follows from it unless the policy says otherwise.
    pub disposition: Disposition,
    /// Key of the text that the person may see.
    pub message_key: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident = $code:literal, $category:ident, $disposition:ident, $key:literal;)+) => {
        /// A reason code. Codes are only added: one is never renamed or reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`")] #[serde(rename = $code)] $variant,)+
        }

        impl Code {
            /// Every code, in catalogue order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// Row of the code in the catalogue.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Code::$variant => Entry {
                        code: $code,
                        category: Category::$category,
                        disposition: Disposition::$disposition,
                        message_key: $key,
                    },)+
                }
            }
        }
    };
}

catalogue! {
    DocumentMissingFront = "document.missing_front", UserAction, Resubmit, "document.missing_front";
    DocumentMissingBack = "document.missing_back", UserAction, Resubmit, "document.missing_back";
    DocumentPageMissing = "document.page_missing", UserAction, Resubmit, "document.page_missing";
    DocumentNotADocument = "document.not_a_document", UserAction, Resubmit, "document.not_a_document";
    DocumentWrongSide = "document.wrong_side", UserAction, Resubmit, "document.wrong_side";
    DocumentMultipleDocuments = "document.multiple_documents", UserAction, Resubmit, "document.multiple_documents";
    DocumentBlurred = "document.blurred", UserAction, Resubmit, "document.blurred";
    DocumentGlare = "document.glare", UserAction, Resubmit, "document.glare";
    DocumentTooDark = "document.too_dark", UserAction, Resubmit, "document.too_dark";
    DocumentCutOff = "document.cut_off", UserAction, Resubmit, "document.cut_off";
    DocumentCovered = "document.covered", UserAction, Resubmit, "document.covered";
    DocumentBlackAndWhite = "document.black_and_white", UserAction, Resubmit, "document.black_and_white";
    DocumentDamaged = "document.damaged", UserAction, Resubmit, "document.damaged";
    DocumentImageTooSmall = "document.image_too_small", UserAction, Resubmit, "document.image_too_small";
    DocumentUnreadable = "document.unreadable", UserAction, Resubmit, "document.unreadable";
    DocumentTypeUnsupported = "document.type_unsupported", Policy, Decline, "document.type_unsupported";
    DocumentTypeMismatch = "document.type_mismatch", Data, Resubmit, "document.type_mismatch";
    DocumentCountryNotAllowed = "document.country_not_allowed", Policy, Decline, "document.country_not_allowed";
    DocumentExpired = "document.expired", Data, Decline, "document.expired";
    DocumentNotYetValid = "document.not_yet_valid", Data, Review, "document.not_yet_valid";
    DocumentExpiresSoon = "document.expires_soon", Policy, Inform, "document.expires_soon";
    DocumentMrzNotDetected = "document.mrz_not_detected", Data, Review, "document.mrz_not_detected";
    DocumentMrzCheckDigitFailed = "document.mrz_check_digit_failed", Data, Review, "document.mrz_check_digit_failed";
    DocumentMrzVisualMismatch = "document.mrz_visual_mismatch", Fraud, Review, "document.not_accepted";
    DocumentBarcodeNotDetected = "document.barcode_not_detected", Data, Review, "document.barcode_not_detected";
    DocumentBarcodeInvalid = "document.barcode_invalid", Data, Review, "document.barcode_invalid";
    DocumentBarcodeVisualMismatch = "document.barcode_visual_mismatch", Fraud, Review, "document.not_accepted";
    DocumentSidesMismatch = "document.sides_mismatch", Fraud, Review, "document.not_accepted";
    DocumentNumberFormatInvalid = "document.number_format_invalid", Data, Review, "document.number_format_invalid";
    DocumentDeclaredNameMismatch = "document.declared_name_mismatch", Data, Review, "document.declared_name_mismatch";
    DocumentDeclaredDobMismatch = "document.declared_dob_mismatch", Data, Review, "document.declared_dob_mismatch";
    DocumentDeclaredNumberMismatch = "document.declared_number_mismatch", Data, Review, "document.declared_number_mismatch";
    DocumentDataInconsistent = "document.data_inconsistent", Data, Review, "document.data_inconsistent";
    DocumentPortraitMissing = "document.portrait_missing", Data, Resubmit, "document.portrait_missing";
    DocumentPhotoOfScreen = "document.photo_of_screen", Fraud, Review, "document.not_accepted";
    DocumentPrintedCopy = "document.printed_copy", Fraud, Review, "document.not_accepted";
    DocumentScreenshotOrScan = "document.screenshot_or_scan", Fraud, Resubmit, "document.not_accepted";
    DocumentDigitallyAltered = "document.digitally_altered", Fraud, Review, "document.not_accepted";
    DocumentPortraitManipulated = "document.portrait_manipulated", Fraud, Review, "document.not_accepted";
    DocumentTemplateMismatch = "document.template_mismatch", Fraud, Review, "document.not_accepted";
    DocumentCounterfeitSuspected = "document.counterfeit_suspected", Fraud, Review, "document.not_accepted";
    DocumentCompromised = "document.compromised", Fraud, Decline, "document.not_accepted";
    DocumentDuplicateOtherUser = "document.duplicate_other_user", Fraud, Review, "document.not_accepted";
    DocumentBlocklisted = "document.blocklisted", Policy, Decline, "document.blocklisted";
    DocumentInstructionTextFound = "document.instruction_text_found", Fraud, Review, "document.not_accepted";
    DocumentExtractionDisagreement = "document.extraction_disagreement", Data, Review, "document.extraction_disagreement";
    LivenessNotCompleted = "liveness.not_completed", UserAction, Resubmit, "liveness.not_completed";
    LivenessSessionExpired = "liveness.session_expired", UserAction, Resubmit, "liveness.session_expired";
    LivenessSessionFailed = "liveness.session_failed", Technical, Resubmit, "liveness.session_failed";
    LivenessSessionReused = "liveness.session_reused", Fraud, Decline, "liveness.not_confirmed";
    LivenessSessionOwnerMismatch = "liveness.session_owner_mismatch", Fraud, Decline, "liveness.not_confirmed";
    LivenessLowConfidence = "liveness.low_confidence", UserAction, Review, "liveness.low_confidence";
    LivenessAttackSuspected = "liveness.attack_suspected", Fraud, Decline, "liveness.not_confirmed";
    LivenessReferenceImageMissing = "liveness.reference_image_missing", Technical, Resubmit, "liveness.reference_image_missing";
    LivenessNoFace = "liveness.no_face", UserAction, Resubmit, "liveness.no_face";
    LivenessMultipleFaces = "liveness.multiple_faces", UserAction, Resubmit, "liveness.multiple_faces";
    LivenessFaceOccluded = "liveness.face_occluded", UserAction, Resubmit, "liveness.face_occluded";
    LivenessPoorLighting = "liveness.poor_lighting", UserAction, Resubmit, "liveness.poor_lighting";
    LivenessPoseOutOfRange = "liveness.pose_out_of_range", UserAction, Resubmit, "liveness.pose_out_of_range";
    LivenessIdUsedAsSelfie = "liveness.id_used_as_selfie", Fraud, Review, "liveness.not_confirmed";
    LivenessInjectionSuspected = "liveness.injection_suspected", Fraud, Decline, "liveness.not_confirmed";
    FaceMismatch = "face.mismatch", Fraud, Review, "face.not_confirmed";
    FaceSimilarityInReviewBand = "face.similarity_in_review_band", Data, Review, "face.similarity_in_review_band";
    FaceComparisonNotPossible = "face.comparison_not_possible", Data, Resubmit, "face.comparison_not_possible";
    FaceDuplicateOtherUser = "face.duplicate_other_user", Fraud, Review, "face.not_confirmed";
    FaceBlocklisted = "face.blocklisted", Policy, Decline, "face.blocklisted";
    FaceAgeInconsistent = "face.age_inconsistent", Data, Review, "face.age_inconsistent";
    DeviceSignalMissing = "device.signal_missing", Technical, Review, "device.signal_missing";
    DeviceEventReplayed = "device.event_replayed", Fraud, Decline, "device.not_accepted";
    DeviceEventTooOld = "device.event_too_old", Fraud, Review, "device.not_accepted";
    DeviceEventNotBound = "device.event_not_bound", Fraud, Decline, "device.not_accepted";
    DeviceBotDetected = "device.bot_detected", Fraud, Decline, "device.not_accepted";
    DeviceTampering = "device.tampering", Fraud, Review, "device.not_accepted";
    DeviceVirtualMachineOrEmulator = "device.virtual_machine_or_emulator", Fraud, Review, "device.not_accepted";
    DeviceVpnOrProxy = "device.vpn_or_proxy", Fraud, Inform, "device.not_accepted";
    DeviceTor = "device.tor", Fraud, Review, "device.not_accepted";
    DeviceDatacenterIp = "device.datacenter_ip", Fraud, Inform, "device.not_accepted";
    DeviceIpCountryMismatch = "device.ip_country_mismatch", Data, Review, "device.ip_country_mismatch";
    DeviceManyIdentities = "device.many_identities", Fraud, Review, "device.not_accepted";
    PolicyUnderAge = "policy.under_age", Policy, Decline, "policy.under_age";
    PolicyAttemptsExhausted = "policy.attempts_exhausted", Policy, Decline, "policy.attempts_exhausted";
    PolicyVelocityExceeded = "policy.velocity_exceeded", Fraud, Review, "policy.needs_review";
    PolicyDuplicateIdentity = "policy.duplicate_identity", Fraud, Review, "policy.needs_review";
    PolicyConsentMissing = "policy.consent_missing", Policy, Resubmit, "policy.consent_missing";
    PolicyManualDecline = "policy.manual_decline", Policy, Decline, "policy.manual_decline";
    SystemProviderUnavailable = "system.provider_unavailable", Technical, Retry, "system.in_progress";
    SystemProviderRefused = "system.provider_refused", Technical, Review, "document.needs_review";
    SystemInternalError = "system.internal_error", Technical, Retry, "system.in_progress";
}

impl Code {
    /// The stored and published spelling.
    pub const fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The code spelled `text`, if the catalogue has it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The codes that people and callers may see, in catalogue order. A neutral code of the domain
    /// replaces those of fraud.
    pub fn public() -> Vec<&'static str> {
        let mut public: Vec<&str> = Vec::new();
        for code in Self::ALL {
            if !public.contains(&code.entry().message_key) {
                public.push(code.entry().message_key);
            }
        }
        public
    }

    /// Whether new evidence from the same person can remove the reason.
    pub const fn retryable(self) -> bool {
        matches!(self.entry().category, Category::UserAction | Category::Technical)
            || matches!(self.entry().disposition, Disposition::Resubmit)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason that a check found, before a policy judges it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What was found.
    pub code: Code,
    /// Explanation for reviewers and operators only. It may name fields, but never quotes a whole
    /// document.
    pub detail: String,
}

impl Reason {
    /// A reason with the explanation that a reviewer needs.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_spelling_and_spelled_like_the_catalogue() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            let (domain, name) = code.as_str().split_once('.').expect("domain.name");
            assert!(domain.chars().all(|c| c.is_ascii_lowercase()), "{code}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code}");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn no_public_code_names_fraud() {
        for code in Code::ALL.iter().filter(|c| c.entry().category == Category::Fraud) {
            assert_ne!(code.entry().message_key, code.as_str());
            assert!(!Code::public().contains(&code.as_str()), "{code}");
        }
    }
}
