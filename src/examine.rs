//! One piece of work, done: the evidence is fetched, the providers are asked once, the core judges.
//!
//! Nothing here decides about a person and nothing is written. A provider's clear "no" is a finding; a provider that gave no
//! answer is [`Examined::Trouble`], and the queue decides when it is asked again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::gate::Gate;
use crate::pocketbase::records::Collection;
use crate::pocketbase::{Client, PocketbaseError};
use crate::providers::fingerprint::Fingerprint;
use crate::providers::openai::{Image, MediaType, OpenAi, Reading};
use crate::providers::rekognition::Rekognition;
use crate::providers::{Answer, Trouble};
use crate::verification::check::{ProviderTrace, Usage};
use crate::verification::document::image::{self, Limits, Prepared};
use crate::verification::document::transcription::{Side, Transcription};
use crate::verification::document::{self, Evidence};
use crate::verification::face::DetectedFace;
use crate::verification::liveness::Verdict;
use crate::verification::policy::Provider;
use crate::verification::{
    Case, Code, Document, Finding, Judgement, Kind, Policy, Reason, SessionStatus, Work, decision, device, face,
    liveness, transition::Opened,
};

/// Largest picture that is fetched: the collections' own limit and a little.
const PICTURE_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Documents examined at the same time; each holds a few megabytes while it waits for its readings.
const DOCUMENTS_MAX: usize = 32;
/// How long a challenge lives at the provider, from its creation.
const SESSION_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_secs(180);
/// The browser says "finished" a moment before the provider has the result: ask again this often ...
const NOT_YET_PAUSE: Duration = Duration::from_millis(700);
/// ... this many times, then let the queue ask later.
const NOT_YET_TRIES: u32 = 10;

/// What came of a piece of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Examined {
    /// The check has its finding.
    Finding(Box<Finding>),
    /// The challenge was opened at the provider.
    Opened(Opened),
    /// The challenge ended without a result.
    Ended {
        /// How the session record ends.
        status: SessionStatus,
        /// Why.
        code: Code,
    },
    /// The challenge has no result yet.
    NotYet,
    /// Somebody did not do their part; says nothing about the person.
    Trouble {
        /// Stable word for the journal.
        code: &'static str,
        /// When they asked to be asked again.
        retry_after: Option<Duration>,
    },
}

impl Examined {
    fn finding(finding: Finding) -> Self {
        Examined::Finding(Box::new(finding))
    }

    fn lost(code: &'static str) -> Self {
        Examined::Trouble { code, retry_after: None }
    }
}

impl From<Trouble> for Examined {
    fn from(trouble: Trouble) -> Self {
        if trouble.worth_retrying() {
            tracing::warn!(error = crate::telemetry::chain(&trouble), "provider trouble");
            return Examined::Trouble { code: trouble.code(), retry_after: trouble.retry_after() };
        }
        // The same request would fail again: a person must look.
        tracing::error!(error = crate::telemetry::chain(&trouble), "provider refuses our request");
        let reason = Reason::new(Code::SystemInternalError, trouble.code());
        Examined::finding(Finding {
            judgement: Judgement { reasons: vec![reason], ..Judgement::default() },
            ..Finding::default()
        })
    }
}

impl From<PocketbaseError> for Examined {
    fn from(error: PocketbaseError) -> Self {
        tracing::warn!(error = crate::telemetry::chain(&error), "evidence could not be fetched");
        Examined::lost("pocketbase.unavailable")
    }
}

/// The ways to the three providers.
#[derive(Debug, Clone)]
pub struct Gates {
    /// AWS Rekognition.
    pub rekognition: Gate,
    /// `OpenAI`.
    pub openai: Gate,
    /// Fingerprint.
    pub fingerprint: Gate,
}

impl Default for Gates {
    /// Calls at the same time: Rekognition's default quotas are a few dozen a second, a model's a few hundred a minute.
    fn default() -> Self {
        Self {
            rekognition: Gate::new(Provider::Rekognition, 32),
            openai: Gate::new(Provider::Openai, 16),
            fingerprint: Gate::new(Provider::Fingerprint, 16),
        }
    }
}

/// The clients that examinations need.
#[derive(Debug, Clone)]
pub struct Examiner {
    client: Client,
    rekognition: Rekognition,
    openai: OpenAi,
    fingerprint: Fingerprint,
    gates: Gates,
    /// Documents examined at the same time: what bounds the memory for pictures, however many wait.
    documents: Arc<Semaphore>,
    /// Pictures are decoded off the async threads, a few at a time: each can need tens of megabytes.
    decoders: Arc<Semaphore>,
    safety_key: SecretString,
}

impl Examiner {
    /// An examiner that decodes up to `decoders` pictures at the same time. `safety_key` keys the hash that stands for a person.
    pub fn new(
        client: Client,
        rekognition: Rekognition,
        openai: OpenAi,
        fingerprint: Fingerprint,
        decoders: usize,
        safety_key: SecretString,
    ) -> Self {
        Self {
            client,
            rekognition,
            openai,
            fingerprint,
            gates: Gates::default(),
            documents: Arc::new(Semaphore::new(DOCUMENTS_MAX)),
            decoders: Arc::new(Semaphore::new(decoders)),
            safety_key,
        }
    }

    /// The gates, for those who report on the providers.
    pub fn gates(&self) -> Gates {
        self.gates.clone()
    }

    /// Does `work` for `case` at `now` (on `PocketBase`'s clock).
    pub async fn examine(&self, case: &Case, policy: &Policy, work: &Work, now: Timestamp) -> Examined {
        let began = Instant::now();
        let examined = match work {
            Work::OpenSession { evidence, .. } => self.open_session(evidence, now).await,
            Work::Liveness { evidence, .. } => self.liveness(case, policy, evidence).await,
            Work::Device { evidence, .. } => self.device(case, policy, evidence).await,
            Work::Document { evidence, .. } => self.document(case, policy, evidence, now).await,
            Work::FaceMatch { .. } => self.face_match(case, policy).await,
        };
        let mut examined = examined.unwrap_or_else(|examined| examined);
        let seconds = began.elapsed().as_secs_f64();
        let name = work.check().map_or("open_session", Kind::as_str);
        metrics::histogram!("work_duration_seconds", "work" => name).record(seconds);
        if let Examined::Finding(finding) = &mut examined {
            finding.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        examined
    }

    /// The session record's id is the provider's idempotency token: a repeated call returns the same challenge.
    async fn open_session(&self, session: &str, now: Timestamp) -> Result<Examined, Examined> {
        let answer =
            self.gates.rekognition.call("CreateFaceLivenessSession", self.rekognition.create_session(session)).await?;
        Ok(Examined::Opened(Opened {
            session_id: answer.value.session_id,
            region: answer.region,
            challenge: "FaceMovementAndLightChallenge".to_owned(),
            expires_at: now + SESSION_LIFETIME,
        }))
    }

    async fn liveness(&self, case: &Case, policy: &Policy, session: &str) -> Result<Examined, Examined> {
        let Some(record) = case.session(session) else { return Err(Examined::lost("record.missing")) };
        for attempt in 1..=NOT_YET_TRIES {
            let answer = {
                let results = self.rekognition.session_results(&record.session_id);
                self.gates.rekognition.call("GetFaceLivenessSessionResults", results).await?
            };
            match liveness::judge(&answer.value, policy) {
                Verdict::NotYet if attempt < NOT_YET_TRIES && case.said_completed(session) => {
                    tokio::time::sleep(NOT_YET_PAUSE).await;
                }
                Verdict::NotYet => break,
                Verdict::Ended { status, code } => return Ok(Examined::Ended { status, code }),
                Verdict::Judged(judgement) => {
                    return Ok(Examined::finding(Finding {
                        judgement,
                        evidence: vec![session.to_owned()],
                        provider: trace("rekognition", &answer),
                        usage: answer.usage,
                        reference_image: answer.value.reference_image,
                        ..Finding::default()
                    }));
                }
            }
        }
        Ok(Examined::NotYet)
    }

    async fn device(&self, case: &Case, policy: &Policy, signal: &str) -> Result<Examined, Examined> {
        let Some(record) = case.signals.iter().find(|s| s.id == signal) else {
            return Err(Examined::lost("record.missing"));
        };
        let answer = self.gates.fingerprint.call("GetEvent", self.fingerprint.event(&record.event_id)).await?;
        let judgement = device::judge(answer.value.as_ref(), record, &case.record, policy);
        Ok(Examined::finding(Finding {
            judgement,
            evidence: vec![signal.to_owned()],
            provider: trace("fingerprint", &answer),
            usage: answer.usage,
            ..Finding::default()
        }))
    }

    async fn document(
        &self,
        case: &Case,
        policy: &Policy,
        document: &str,
        now: Timestamp,
    ) -> Result<Examined, Examined> {
        let Some(record) = case.documents.iter().find(|d| d.id == document) else {
            return Err(Examined::lost("record.missing"));
        };
        let evidence = vec![document.to_owned()];
        // The semaphore is never closed.
        let Ok(_room) = self.documents.acquire().await else { return Err(Examined::lost("service.stopping")) };
        let (front, back) = match self.pictures(record).await? {
            Ok(pictures) => pictures,
            Err(reasons) => return Ok(unpaid(reasons, evidence)),
        };
        if front.stops(policy) || back.as_ref().is_some_and(|back| back.stops(policy)) {
            let reasons = front.reasons.iter().chain(back.iter().flat_map(|b| &b.reasons)).cloned().collect();
            return Ok(unpaid(reasons, evidence));
        }
        let person = self.safety_identifier(&case.record.user);
        let (faces, front_reading, back_reading) = tokio::join!(
            self.gates.rekognition.call("DetectFaces", self.rekognition.detect_faces(&front.jpeg)),
            self.read(&front, &person),
            async {
                match &back {
                    Some(back) => self.read(back, &person).await.map(Some),
                    None => Ok(None),
                }
            },
        );
        let (faces, front_reading, back_reading) = (faces?, front_reading?, back_reading?);
        let judgement = document::judge(
            &Evidence {
                record: &case.record,
                document: record,
                front: &front,
                back: back.as_ref(),
                faces: &faces.value,
                front_reading: transcription(&front_reading),
                back_reading: back_reading.as_ref().and_then(transcription),
            },
            policy,
            now.to_zoned(TimeZone::UTC).date(),
        );
        let mut provider = both(&faces, &front_reading);
        let mut usage = sum(faces.usage, front_reading.usage);
        if let Some(reading) = &back_reading {
            provider.request_ids.extend(reading.request_ids.iter().cloned());
            usage = sum(usage, reading.usage);
        }
        let portrait = self.portrait(front, &faces.value).await;
        Ok(Examined::finding(Finding { judgement, evidence, provider, usage, portrait, ..Finding::default() }))
    }

    /// One side, read by the model. The two sides are read apart, so that neither colours the other.
    async fn read(&self, side: &Prepared, person: &str) -> Result<Answer<Reading>, Trouble> {
        let image = [Image { media_type: MediaType::Jpeg, bytes: Bytes::copy_from_slice(&side.jpeg) }];
        self.gates.openai.call("ChatCompletion", self.openai.transcribe(&image, person)).await
    }

    /// What the model's provider may use to tell abusers apart: a keyed hash, so it says nothing about the person.
    fn safety_identifier(&self, user: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.safety_key.expose_secret().as_bytes());
        mac.map(|mut mac| {
            mac.update(user.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
    }

    /// Both sides, decoded and cleaned; the inner error is what is wrong with the pictures themselves.
    async fn pictures(
        &self,
        document: &Document,
    ) -> Result<Result<(Prepared, Option<Prepared>), Vec<Reason>>, Examined> {
        let fetch = |name: String| async move {
            if name.is_empty() {
                return Ok(None);
            }
            self.client.download(Collection::Documents, &document.id, &name, PICTURE_BYTES_MAX).await
        };
        let (front, back) = tokio::join!(fetch(document.front.clone()), fetch(document.back.clone()));
        let (front, back) = (front?, back?);
        let Some(front) = front else {
            return Ok(Err(vec![Reason::new(Code::DocumentMissingFront, "the front picture is not there")]));
        };
        let front = match self.prepare(front, Side::Front).await? {
            Ok(front) => front,
            Err(reasons) => return Ok(Err(reasons)),
        };
        let back = match back {
            None => None,
            Some(back) => match self.prepare(back, Side::Back).await? {
                Ok(back) => Some(back),
                Err(reasons) => return Ok(Err(reasons)),
            },
        };
        Ok(Ok((front, back)))
    }

    async fn prepare(&self, bytes: Bytes, side: Side) -> Result<Result<Prepared, Vec<Reason>>, Examined> {
        // The semaphore is never closed.
        let Ok(_permit) = self.decoders.acquire().await else { return Err(Examined::lost("service.stopping")) };
        let task = tokio::task::spawn_blocking(move || image::prepare(&bytes, side, &Limits::default()));
        match task.await {
            Ok(prepared) => Ok(prepared),
            // A picture that makes the decoder panic would do so again.
            Err(_) => Ok(Err(vec![Reason::new(Code::DocumentUnreadable, "the picture could not be decoded")])),
        }
    }

    /// The face of the document, if one stands out: what the liveness reference image is compared with.
    async fn portrait(&self, front: Prepared, faces: &[DetectedFace]) -> Option<Vec<u8>> {
        let bounds = document::portrait(faces)?;
        let _permit = self.decoders.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || front.portrait(bounds)).await.ok().flatten()
    }

    async fn face_match(&self, case: &Case, policy: &Policy) -> Result<Examined, Examined> {
        let (Some(live), Some(document)) =
            (decision::counted(case, Kind::Liveness), decision::counted(case, Kind::Document))
        else {
            return Err(Examined::lost("record.missing"));
        };
        // A finding that was stored in the very batch that made this due has no file name here yet.
        if live.reference_image.is_empty() || document.portrait.is_empty() {
            return match self.client.read_case(case.id()).await? {
                Some((stored, _)) if stored.seq() >= case.seq() => self.compare(&stored, policy).await,
                _ => Err(Examined::lost("record.missing")),
            };
        }
        self.compare(case, policy).await
    }

    async fn compare(&self, case: &Case, policy: &Policy) -> Result<Examined, Examined> {
        let (Some(live), Some(document)) =
            (decision::counted(case, Kind::Liveness), decision::counted(case, Kind::Document))
        else {
            return Err(Examined::lost("record.missing"));
        };
        let evidence = vec![live.id.clone(), document.id.clone()];
        if live.reference_image.is_empty() || document.portrait.is_empty() {
            let reason = Reason::new(Code::FaceComparisonNotPossible, "no portrait was kept of the document");
            return Ok(unpaid(vec![reason], evidence));
        }
        let (reference, portrait) = tokio::join!(
            self.client.download(Collection::Checks, &live.id, &live.reference_image, PICTURE_BYTES_MAX),
            self.client.download(Collection::Checks, &document.id, &document.portrait, PICTURE_BYTES_MAX),
        );
        let (Some(reference), Some(portrait)) = (reference?, portrait?) else {
            let reason = Reason::new(Code::FaceComparisonNotPossible, "a stored picture is missing");
            return Ok(unpaid(vec![reason], evidence));
        };
        let answer = {
            let compared = self.rekognition.compare_faces(&reference, &portrait);
            self.gates.rekognition.call("CompareFaces", compared).await?
        };
        let judgement = face::judge(&answer.value, policy);
        let provider = trace("rekognition", &answer);
        Ok(Examined::finding(Finding { judgement, evidence, provider, usage: answer.usage, ..Finding::default() }))
    }
}

/// A finding made before anything was paid for.
fn unpaid(reasons: Vec<Reason>, evidence: Vec<String>) -> Examined {
    Examined::finding(Finding {
        judgement: Judgement { reasons, ..Judgement::default() },
        evidence,
        ..Finding::default()
    })
}

fn transcription(answer: &Answer<Reading>) -> Option<&Transcription> {
    match &answer.value {
        Reading::Transcribed(transcription) => Some(transcription),
        Reading::Refused | Reading::ContentFiltered => None,
    }
}

fn trace<T>(name: &str, answer: &Answer<T>) -> ProviderTrace {
    ProviderTrace {
        name: name.to_owned(),
        model: answer.model.clone(),
        region: answer.region.clone(),
        request_ids: answer.request_ids.clone(),
    }
}

fn both<A, B>(faces: &Answer<A>, reading: &Answer<B>) -> ProviderTrace {
    ProviderTrace {
        name: "rekognition+openai".to_owned(),
        model: reading.model.clone(),
        region: faces.region.clone(),
        request_ids: [faces.request_ids.as_slice(), reading.request_ids.as_slice()].concat(),
    }
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        calls: a.calls + b.calls,
        input_tokens: a.input_tokens + b.input_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
    }
}
