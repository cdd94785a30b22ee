//! One piece of work, done: the evidence is fetched, the providers are asked once, the core judges.
//!
//! Nothing here decides about a person and nothing is written. A provider's clear "no" is a finding; a provider that gave no
//! answer is [`WorkOutcome::Failed`], and the queue decides when it is asked again.

pub(crate) mod duplicates;
pub mod face_cache;
pub mod ocr_model;
pub mod response_cache;

use crate::base::keyed_hash;
use crate::checks::duplicates as known;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::base::failpoints::{Point, reached, reached_with};
use crate::checks::face_cache::FaceCache;
use crate::checks::ocr_model::OcrModel;
use crate::checks::response_cache::{CachedResponses, ResponseCache};
use crate::pixels::scale::grey;
use crate::pocketbase::records::Collection;
use crate::pocketbase::{Client, PocketbaseError};
use crate::providers::fingerprint::Fingerprint;
use crate::providers::limiter::{ProviderLimiter, Urgency};
use crate::providers::openai::{Image, MediaType, OpenAi, Reading};
use crate::providers::rekognition::Rekognition;
use crate::providers::{
    AWS_ATTEMPT, FINGERPRINT_ATTEMPT, OPENAI_ATTEMPT, ProviderError, ProviderErrorKind, ProviderResponse,
};
use crate::verification::check::{Check, ProviderTrace, Usage};
use crate::verification::faces::{Comparison, DetectedFace};
use crate::verification::next_step::RESULT_GRACE_SECONDS;
use crate::verification::rules::device::DeviceEvent;
use crate::verification::rules::document::image::{self, Limits, Prepared};
use crate::verification::rules::document::readings::ocr;
use crate::verification::rules::document::readings::ocr::OcrReading;
use crate::verification::rules::document::readings::transcription::Transcription;
use crate::verification::rules::document::vocabulary::Side;
use crate::verification::rules::document::{self, Evidence};
use crate::verification::rules::liveness::Verdict;
use crate::verification::rules::{device, face_match, liveness};
use crate::verification::transition::Opened;
use crate::verification::{
    Case, Code, DeviceSignal, Document, Finding, Judgement, Kind, Policy, Reason, SessionStatus, Work,
};

/// Largest picture that is fetched: the collections' own limit and a little.
const PICTURE_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Documents outcome at the same time; each holds a few megabytes while it waits for its readings. What bounds the memory for
/// pictures, however many wait.
pub const DOCUMENTS_MAX: usize = 32;
/// How long a challenge lives at the provider, from its creation.
const SESSION_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_secs(180);
/// The browser says "finished" a moment before the provider has the result: ask again this often ...
const NOT_YET_PAUSE: Duration = Duration::from_millis(700);
/// ... this many times, then let the queue ask later.
const NOT_YET_TRIES: u32 = 10;

/// How often what was kept for too long is dropped.
const DROP_OLD_EVERY: Duration = Duration::from_secs(60);
/// A device event handed in less than this before its claim may not be readable yet. (Both times are `PocketBase`'s.)
const EVENT_YOUNG: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);
/// After these pauses it is asked for again.
const EVENT_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// What came of a piece of work.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkOutcome {
    /// The check has its finding.
    Finding(Box<Finding>),
    /// The challenge was opened at the provider.
    SessionOpened(Opened),
    /// The challenge ended without a result.
    SessionEnded {
        /// How the session record ends.
        status: SessionStatus,
        /// Why.
        code: Code,
    },
    /// The challenge has no result yet.
    ResultPending,
    /// Too many wait for the same provider: it was not asked.
    Saturated {
        /// Stable word for the log.
        code: &'static str,
    },
    /// Somebody did not do their part; says nothing about the person.
    Failed {
        /// Stable word for the journal.
        code: &'static str,
        /// When they asked to be asked again.
        retry_after: Option<Duration>,
    },
}

impl WorkOutcome {
    fn finding(finding: Finding) -> Self {
        WorkOutcome::Finding(Box::new(finding))
    }

    fn lost(code: &'static str) -> Self {
        WorkOutcome::Failed { code, retry_after: None }
    }
}

impl From<ProviderError> for WorkOutcome {
    fn from(trouble: ProviderError) -> Self {
        if trouble.kind == ProviderErrorKind::Saturated {
            return WorkOutcome::Saturated { code: trouble.code() };
        }
        if trouble.is_retryable() {
            let error = crate::base::telemetry::chain(&trouble);
            if trouble.needs_operator() {
                tracing::error!(error, "provider trouble that only an operator can mend");
            } else {
                tracing::warn!(error, "provider trouble");
            }
            return WorkOutcome::Failed { code: trouble.code(), retry_after: trouble.retry_after() };
        }
        // The same request would fail again: a person must look.
        tracing::error!(error = crate::base::telemetry::chain(&trouble), "provider refuses our request");
        let reason = Reason::new(Code::SystemInternalError, trouble.code());
        WorkOutcome::finding(Finding {
            judgement: Judgement { reasons: vec![reason], ..Judgement::default() },
            ..Finding::default()
        })
    }
}

impl From<PocketbaseError> for WorkOutcome {
    fn from(error: PocketbaseError) -> Self {
        tracing::warn!(error = crate::base::telemetry::chain(&error), "evidence could not be fetched");
        WorkOutcome::lost("pocketbase.unavailable")
    }
}

/// A piece of work to do.
#[derive(Debug, Clone, Copy)]
pub struct WorkItem<'a> {
    /// What it is about, as it was claimed.
    pub case: &'a Case,
    /// The pinned policy.
    pub policy: &'a Policy,
    /// The piece.
    pub work: &'a Work,
    /// When it was claimed, on `PocketBase`'s clock.
    pub now: Timestamp,
    /// When its result must be there.
    pub end: tokio::time::Instant,
}

impl WorkItem<'_> {
    /// The last moment to begin a call that may take as long as `attempt`: what is paid for is waited for.
    fn begin_by(&self, attempt: Duration) -> tokio::time::Instant {
        self.end.checked_sub(attempt).unwrap_or(self.end)
    }

    fn answered(&self, answers: &ResponseCache) -> CachedResponses {
        answers.of(self.case.id(), self.work)
    }

    fn keep(&self, answers: &ResponseCache, put: impl FnOnce(&mut CachedResponses)) {
        answers.keep(self.case.id(), self.work, put);
    }
}

/// The ways to the three providers.
#[derive(Debug, Clone)]
pub struct ProviderLimiters {
    /// AWS Rekognition.
    pub rekognition: ProviderLimiter,
    /// `OpenAI`.
    pub openai: ProviderLimiter,
    /// Fingerprint.
    pub fingerprint: ProviderLimiter,
}

/// What keyed hashes are made with.
#[derive(Debug, Clone)]
pub struct HashKeys {
    /// For the hash that stands for a person with the model's provider.
    pub safety_identifier: SecretString,
    /// For the hashes of document numbers; without it there are none.
    pub document_numbers: Option<SecretString>,
}

/// The clients that examinations need.
#[derive(Debug, Clone)]
pub struct CheckRunner {
    client: Client,
    rekognition: Rekognition,
    openai: OpenAi,
    fingerprint: Fingerprint,
    limiters: ProviderLimiters,
    answers: ResponseCache,
    faces: FaceCache,
    /// Pictures are decoded off the async threads, a few at a time: each can need tens of megabytes.
    decoders: Arc<Semaphore>,
    keys: HashKeys,
    /// Our own eyes, where a model for them is set.
    ocr_model: Option<OcrModel>,
}

impl CheckRunner {
    /// An checks that decodes up to `decoders` pictures at the same time.
    pub fn new(
        client: Client,
        rekognition: Rekognition,
        openai: OpenAi,
        fingerprint: Fingerprint,
        limiters: ProviderLimiters,
        decoders: usize,
        keys: HashKeys,
    ) -> Self {
        Self {
            client,
            rekognition,
            openai,
            fingerprint,
            limiters,
            answers: ResponseCache::default(),
            faces: FaceCache::default(),
            decoders: Arc::new(Semaphore::new(decoders)),
            keys,
            ocr_model: None,
        }
    }

    /// With our own eyes; without a ocr_model there is no own reading of machine-readable zones.
    #[must_use]
    pub fn with_ocr_model(self, ocr_model: Option<OcrModel>) -> Self {
        Self { ocr_model, ..self }
    }

    /// What came of `work` is stored, or nobody wants it any more: what was paid for it need not be kept.
    pub fn forget_responses(&self, verification: &str, work: &Work) {
        self.answers.forget(verification, work);
    }

    /// Drops what was kept for too long, until `shutdown`.
    pub async fn expire_caches(self, shutdown: CancellationToken) {
        drop_old(&self.answers, &self.faces, &shutdown).await;
    }

    /// The pictures of `finding` are stored with `check`: a comparison that follows need not fetch them.
    pub fn cache_faces(&self, check: &Check, finding: Finding) {
        let pictures = [(&check.reference_image, finding.reference_image), (&check.portrait, finding.portrait)];
        for (file, picture) in pictures {
            if let Some(picture) = picture.filter(|_| !file.is_empty()) {
                self.faces.keep(&check.id, file, picture.into());
            }
        }
    }

    /// Does the item.
    pub async fn run(&self, item: &WorkItem<'_>) -> WorkOutcome {
        let began = Instant::now();
        let outcome = match item.work {
            Work::OpenSession { evidence, .. } => self.open_session(item, evidence).await,
            Work::Liveness { evidence, .. } => self.liveness(item, evidence).await,
            Work::Device { evidence, .. } => self.device(item, evidence).await,
            Work::Document { evidence, .. } => self.document(item, evidence).await,
            Work::FaceMatch { .. } => self.face_match(item).await,
        };
        let mut outcome = outcome.unwrap_or_else(|outcome| outcome);
        let seconds = began.elapsed().as_secs_f64();
        let name = item.work.check().map_or("open_session", Kind::as_str);
        metrics::histogram!("work_duration_seconds", "work" => name).record(seconds);
        if let WorkOutcome::Finding(finding) = &mut outcome {
            finding.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        outcome
    }

    /// The session record's id is the provider's idempotency token: a repeated call returns the same challenge.
    async fn open_session(&self, item: &WorkItem<'_>, session: &str) -> Result<WorkOutcome, WorkOutcome> {
        let created = self.rekognition.create_session(session);
        let begin_by = item.begin_by(AWS_ATTEMPT);
        reached(Point::SessionDue);
        let answer =
            self.limiters.rekognition.call("CreateFaceLivenessSession", Urgency::Person, begin_by, created).await?;
        reached(Point::SessionOpened);
        Ok(WorkOutcome::SessionOpened(Opened {
            session_id: answer.value.session_id,
            region: answer.region,
            challenge: "FaceMovementAndLightChallenge".to_owned(),
            expires_at: item.now + SESSION_LIFETIME,
        }))
    }

    async fn liveness(&self, item: &WorkItem<'_>, session: &str) -> Result<WorkOutcome, WorkOutcome> {
        let case = item.case;
        let Some(record) = case.session(session) else { return Err(WorkOutcome::lost("record.missing")) };
        let (urgency, begin_by) = result_deadline(item, record.expires_at);
        for attempt in 1..=NOT_YET_TRIES {
            let answer = if let Some(answer) = item.answered(&self.answers).session {
                answer
            } else {
                let results = self.rekognition.session_results(&record.session_id);
                self.limiters.rekognition.call("GetFaceLivenessSessionResults", urgency, begin_by, results).await?
            };
            reached(Point::ResultAnswered);
            match liveness::judge(&answer.value, item.policy) {
                Verdict::NotYet if attempt < NOT_YET_TRIES && case.completion_reported(session) => {
                    reached(Point::ResultNotYet);
                    tokio::time::sleep(NOT_YET_PAUSE).await;
                }
                Verdict::NotYet => break,
                Verdict::Ended { status, code } => return Ok(WorkOutcome::SessionEnded { status, code }),
                Verdict::Judged(judgement) => {
                    item.keep(&self.answers, |cached| cached.session = Some(answer.clone()));
                    return Ok(WorkOutcome::finding(Finding {
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
        Ok(WorkOutcome::ResultPending)
    }

    async fn device(&self, item: &WorkItem<'_>, signal: &str) -> Result<WorkOutcome, WorkOutcome> {
        let Some(record) = item.case.signals.iter().find(|s| s.id == signal) else {
            return Err(WorkOutcome::lost("record.missing"));
        };
        let answer = match item.answered(&self.answers).event {
            Some(answer) => answer,
            None => self.event(item, record).await?,
        };
        reached(Point::DeviceAnswered);
        item.keep(&self.answers, |cached| cached.event = Some(answer.clone()));
        let judgement = device::judge(answer.value.as_ref(), record, &item.case.record, item.policy);
        Ok(WorkOutcome::finding(Finding {
            judgement,
            evidence: vec![signal.to_owned()],
            provider: trace("fingerprint", &answer),
            usage: answer.usage,
            ..Finding::default()
        }))
    }

    /// The event that `signal` names. The provider may not find one yet that it has just made, so a young one is asked for again before
    /// it counts as missing.
    async fn event(
        &self,
        item: &WorkItem<'_>,
        signal: &DeviceSignal,
    ) -> Result<ProviderResponse<Option<DeviceEvent>>, ProviderError> {
        let begin_by = item.begin_by(FINGERPRINT_ATTEMPT);
        let ask = || {
            let event = self.fingerprint.event(&signal.event_id);
            self.limiters.fingerprint.call("GetEvent", Urgency::Check, begin_by, event)
        };
        let young = item.now.duration_since(signal.created) < EVENT_YOUNG;
        let mut answer = ask().await?;
        for pause in EVENT_PAUSES.into_iter().filter(|_| young) {
            if answer.value.is_some() {
                break;
            }
            tokio::time::sleep(pause).await;
            let later = ask().await?;
            let request_ids = [answer.request_ids, later.request_ids].concat();
            answer = ProviderResponse { request_ids, usage: sum(answer.usage, later.usage), ..later };
        }
        Ok(answer)
    }

    async fn document(&self, item: &WorkItem<'_>, document: &str) -> Result<WorkOutcome, WorkOutcome> {
        let (case, policy) = (item.case, item.policy);
        let Some(record) = case.documents.iter().find(|d| d.id == document) else {
            return Err(WorkOutcome::lost("record.missing"));
        };
        let evidence = vec![document.to_owned()];
        let (front, back) = match self.pictures(record).await? {
            Ok(pictures) => pictures,
            Err(reasons) => return Ok(unpaid(reasons, evidence)),
        };
        if front.stops(policy) || back.as_ref().is_some_and(|back| back.stops(policy)) {
            let reasons = front.reasons.iter().chain(back.iter().flat_map(|b| &b.reasons)).cloned().collect();
            return Ok(unpaid(reasons, evidence));
        }
        let person = self.safety_identifier(&case.record.user);
        let today = item.now.to_zoned(TimeZone::UTC).date();
        let ((faces, front_reading, back_reading), front_ocr, back_ocr) = tokio::join!(
            self.ask_about(item, &front, back.as_ref(), &person),
            self.look(Some(&front), today),
            self.look(back.as_ref(), today),
        );
        let (faces, front_reading, back_reading) = (faces?, front_reading?, back_reading?);
        let seen = Evidence {
            record: &case.record,
            document: record,
            front: &front,
            back: back.as_ref(),
            faces: &faces.value,
            front_reading: transcription(&front_reading),
            back_reading: back_reading.as_ref().and_then(transcription),
            front_ocr: front_ocr.as_ref(),
            back_ocr: back_ocr.as_ref(),
        };
        let judgement = document::judge(&seen, policy, today);
        let marks = document::judge::duplicates::document_keys(&seen, &judgement, policy, today);
        let mut provider = both(&faces, &front_reading);
        let mut usage = sum(faces.usage, front_reading.usage);
        if let Some(reading) = &back_reading {
            provider.request_ids.extend(reading.request_ids.iter().cloned());
            usage = sum(usage, reading.usage);
        }
        let portrait = self.portrait(front, &faces.value).await;
        reached(Point::PortraitCut);
        let mut finding = Finding { judgement, evidence, provider, usage, portrait, ..Finding::default() };
        if let Some(marks) = marks {
            known::look_for(&self.client, self.keys.document_numbers.as_ref(), item.case, &marks, &mut finding).await?;
        }
        Ok(WorkOutcome::finding(finding))
    }

    /// Whether the document of `finding` was seen before, asked anew: somebody else has stored it meanwhile.
    pub async fn search_duplicates_again(&self, case: &Case, finding: &mut Finding) -> Result<(), PocketbaseError> {
        known::look_again(&self.client, case, finding).await
    }

    /// Asks all that is not answered yet, together. Each answer is kept as it comes, so that the failure of one costs no other.
    async fn ask_about(&self, item: &WorkItem<'_>, front: &Prepared, back: Option<&Prepared>, person: &str) -> Told {
        let kept = item.answered(&self.answers);
        let faces = async {
            if let Some(faces) = kept.faces {
                return Ok(faces);
            }
            let asked = self.rekognition.detect_faces(&front.jpeg);
            let begin_by = item.begin_by(AWS_ATTEMPT);
            let faces = self.limiters.rekognition.call("DetectFaces", Urgency::Check, begin_by, asked).await?;
            reached(Point::FacesDetected);
            item.keep(&self.answers, |cached| cached.faces = Some(faces.clone()));
            Ok(faces)
        };
        let front = async {
            if let Some(reading) = kept.front {
                return Ok(reading);
            }
            let reading = self.read(item, front, person).await?;
            item.keep(&self.answers, |cached| cached.front = Some(reading.clone()));
            Ok(reading)
        };
        let back = async {
            let Some(back) = back else { return Ok(None) };
            if let Some(reading) = kept.back {
                return Ok(Some(reading));
            }
            let reading = self.read(item, back, person).await?;
            item.keep(&self.answers, |cached| cached.back = Some(reading.clone()));
            Ok(Some(reading))
        };
        tokio::join!(faces, front, back)
    }

    /// One side, read by the model. The two sides are read apart, so that neither colours the other.
    async fn read(
        &self,
        item: &WorkItem<'_>,
        side: &Prepared,
        person: &str,
    ) -> Result<ProviderResponse<Reading>, ProviderError> {
        let image = [Image { media_type: MediaType::Jpeg, bytes: Bytes::copy_from_slice(&side.jpeg) }];
        let reading = self.openai.transcribe(&image, person);
        let begin_by = item.begin_by(OPENAI_ATTEMPT);
        let answer = self.limiters.openai.call("ChatCompletion", Urgency::Check, begin_by, reading).await?;
        reached(Point::DocumentRead);
        Ok(answer)
    }

    /// The machine-readable zone as our own eyes see it, on the very picture that the model is sent. While the providers work: it
    /// adds no waiting. `None` where there is no model for it; that our eyes fail says nothing about anybody.
    async fn look(&self, side: Option<&Prepared>, today: Date) -> Option<OcrReading> {
        let ocr_model = self.ocr_model.clone()?;
        let jpeg = side?.jpeg.clone();
        let _permit = self.decoders.acquire().await.ok()?;
        let began = Instant::now();
        let looked = tokio::task::spawn_blocking(move || {
            let picture = ::image::load_from_memory_with_format(&jpeg, ::image::ImageFormat::Jpeg).ok()?;
            Some(ocr::read(&grey(&picture.into_rgb8()), today, |strip| ocr_model.recognise(strip)))
        });
        let sight = looked.await.ok().flatten();
        metrics::histogram!("work_duration_seconds", "work" => "own_eyes").record(began.elapsed().as_secs_f64());
        sight
    }

    /// What the model's provider may use to tell abusers apart: a keyed hash, so it says nothing about the person.
    fn safety_identifier(&self, user: &str) -> String {
        keyed_hash::hex(&self.keys.safety_identifier, "", user)
    }

    /// Both sides, decoded and cleaned; the inner error is what is wrong with the pictures themselves.
    async fn pictures(
        &self,
        document: &Document,
    ) -> Result<Result<(Prepared, Option<Prepared>), Vec<Reason>>, WorkOutcome> {
        let (front, back) = tokio::join!(self.side(document, &document.front), self.side(document, &document.back));
        let (front, back) = (front?, back?);
        reached(Point::PicturesFetched);
        let front = match document::front(front) {
            Ok(front) => front,
            Err(reason) => return Ok(Err(vec![reason])),
        };
        let front = match self.prepare(&document.id, front, Side::Front).await? {
            Ok(front) => front,
            Err(reasons) => return Ok(Err(reasons)),
        };
        let back = match back {
            None => None,
            Some(back) => match self.prepare(&document.id, back, Side::Back).await? {
                Ok(back) => Some(back),
                Err(reasons) => return Ok(Err(reasons)),
            },
        };
        Ok(Ok((front, back)))
    }

    /// A side of `document`, where its record names one.
    async fn side(&self, document: &Document, name: &str) -> Result<Option<Bytes>, WorkOutcome> {
        if name.is_empty() {
            return Ok(None);
        }
        self.file(Collection::Documents, &document.id, name).await.map(Some)
    }

    async fn prepare(
        &self,
        document: &str,
        bytes: Bytes,
        side: Side,
    ) -> Result<Result<Prepared, Vec<Reason>>, WorkOutcome> {
        // The semaphore is never closed.
        let Ok(_permit) = self.decoders.acquire().await else { return Err(WorkOutcome::lost("service.stopping")) };
        let document = document.to_owned();
        let task = tokio::task::spawn_blocking(move || {
            reached_with(Point::Decoding, &document);
            image::prepare(&bytes, side, &Limits::default())
        });
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

    async fn face_match(&self, item: &WorkItem<'_>) -> Result<WorkOutcome, WorkOutcome> {
        let case = item.case;
        let (Some(live), Some(document)) = (case.effective_check(Kind::Liveness), case.effective_check(Kind::Document))
        else {
            return Err(WorkOutcome::lost("record.missing"));
        };
        // A finding that was stored in the very batch that made this due has no file name here yet.
        if live.reference_image.is_empty() || document.portrait.is_empty() {
            return match self.client.read_case(case.id()).await? {
                Some((stored, _)) if stored.seq() >= case.seq() => {
                    self.compare(&WorkItem { case: &stored, ..*item }).await
                }
                _ => Err(WorkOutcome::lost("record.missing")),
            };
        }
        self.compare(item).await
    }

    async fn compare(&self, item: &WorkItem<'_>) -> Result<WorkOutcome, WorkOutcome> {
        let case = item.case;
        let (Some(live), Some(document)) = (case.effective_check(Kind::Liveness), case.effective_check(Kind::Document))
        else {
            return Err(WorkOutcome::lost("record.missing"));
        };
        let evidence = vec![live.id.clone(), document.id.clone()];
        if live.reference_image.is_empty() || document.portrait.is_empty() {
            let reason = Reason::new(Code::FaceComparisonNotPossible, "no portrait was kept of the document");
            return Ok(unpaid(vec![reason], evidence));
        }
        let answer = match item.answered(&self.answers).comparison {
            Some(answer) => answer,
            None => self.compare_stored(item, live, document).await?,
        };
        item.keep(&self.answers, |cached| cached.comparison = Some(answer.clone()));
        let judgement = face_match::judge(&answer.value, item.policy);
        let provider = trace("rekognition", &answer);
        Ok(WorkOutcome::finding(Finding { judgement, evidence, provider, usage: answer.usage, ..Finding::default() }))
    }

    /// The stored pictures of two checks, compared.
    async fn compare_stored(
        &self,
        item: &WorkItem<'_>,
        live: &Check,
        document: &Check,
    ) -> Result<ProviderResponse<Comparison>, WorkOutcome> {
        let (reference, portrait) =
            tokio::join!(self.face(&live.id, &live.reference_image), self.face(&document.id, &document.portrait));
        let (reference, portrait) = (reference?, portrait?);
        let compared = self.rekognition.compare_faces(&reference, &portrait);
        reached(Point::FacesFetched);
        let begin_by = item.begin_by(AWS_ATTEMPT);
        let answer = self.limiters.rekognition.call("CompareFaces", Urgency::Check, begin_by, compared).await?;
        reached(Point::FacesCompared);
        Ok(answer)
    }

    /// A stored face.
    async fn face(&self, check: &str, file: &str) -> Result<Bytes, WorkOutcome> {
        match self.faces.take(check, file) {
            Some(picture) => Ok(picture),
            None => self.file(Collection::Checks, check, file).await,
        }
    }

    /// The file that `record` names. One that is not there was lost by the storage, or is not in it yet: trouble, and nothing the
    /// person did.
    async fn file(&self, collection: Collection, record: &str, name: &str) -> Result<Bytes, WorkOutcome> {
        let file = self.client.download(collection, record, name, PICTURE_BYTES_MAX).await?;
        file.ok_or_else(|| {
            tracing::error!(
                collection = collection.name(),
                record,
                "PocketBase's storage lacks a file that a record names"
            );
            WorkOutcome::lost("record.file_missing")
        })
    }
}

async fn drop_old(answers: &ResponseCache, faces: &FaceCache, shutdown: &CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(DROP_OLD_EVERY)).await.is_some() {
        answers.drop_old();
        faces.drop_old();
    }
}

/// What was told about a document: its faces, its front, its back if it has one.
type Told = (
    Result<ProviderResponse<Vec<DetectedFace>>, ProviderError>,
    Result<ProviderResponse<Reading>, ProviderError>,
    Result<Option<ProviderResponse<Reading>>, ProviderError>,
);

/// A result that its provider forgets at `expires_at` goes before everything else, and nobody waits for it once the core has
/// ended the challenge.
fn result_deadline(item: &WorkItem<'_>, expires_at: Option<Timestamp>) -> (Urgency, tokio::time::Instant) {
    let begin_by = item.begin_by(AWS_ATTEMPT);
    let Some(expires_at) = expires_at else { return (Urgency::Person, begin_by) };
    let left = Duration::try_from(expires_at.duration_since(item.now)).unwrap_or_default();
    let at = tokio::time::Instant::now() + left;
    let over = at + Duration::from_secs(RESULT_GRACE_SECONDS.unsigned_abs());
    (Urgency::Forgotten { by: expires_at, at }, begin_by.min(over))
}

/// A finding made before anything was paid for.
fn unpaid(reasons: Vec<Reason>, evidence: Vec<String>) -> WorkOutcome {
    WorkOutcome::finding(Finding {
        judgement: Judgement { reasons, ..Judgement::default() },
        evidence,
        ..Finding::default()
    })
}

fn transcription(answer: &ProviderResponse<Reading>) -> Option<&Transcription> {
    match &answer.value {
        Reading::Transcribed(transcription) => Some(transcription),
        Reading::Refused | Reading::ContentFiltered => None,
    }
}

fn trace<T>(name: &str, answer: &ProviderResponse<T>) -> ProviderTrace {
    ProviderTrace {
        name: name.to_owned(),
        model: answer.model.clone(),
        region: answer.region.clone(),
        request_ids: answer.request_ids.clone(),
    }
}

fn both<A, B>(faces: &ProviderResponse<A>, reading: &ProviderResponse<B>) -> ProviderTrace {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_has_nothing_to_do_drops_what_it_kept_of_people() {
        let (answers, faces, shutdown) = (ResponseCache::default(), FaceCache::default(), CancellationToken::new());
        let work = Work::Device { attempt: 1, evidence: "signal".to_owned() };
        let event = ProviderResponse {
            value: None,
            request_ids: Vec::new(),
            usage: Usage::default(),
            model: String::new(),
            region: String::new(),
            duration: Duration::ZERO,
        };
        answers.keep("a", &work, |cached| cached.event = Some(event));
        faces.keep("check", "a.jpg", Bytes::from_static(b"face"));
        faces.keep("check", "b.jpg", Bytes::from_static(b"face"));
        let minutes = |minutes| tokio::time::sleep(Duration::from_mins(minutes));
        let story = async {
            minutes(4).await;
            assert!(faces.take("check", "a.jpg").is_some() && answers.of("a", &work).event.is_some());
            minutes(2).await;
            assert!(faces.take("check", "b.jpg").is_none() && answers.of("a", &work).event.is_some());
            minutes(55).await;
            assert!(answers.of("a", &work).event.is_none());
            shutdown.cancel();
        };
        tokio::join!(drop_old(&answers, &faces, &shutdown), story);
    }
}
