//! The document check: the pictures are decoded, the providers and local OCR read them, the core
//! judges.

use bytes::Bytes;
use jiff::tz::TimeZone;

use crate::base::failpoints::{Point, reached};
use crate::base::keyed_hash;
use crate::checks::context::Context;
use crate::checks::duplicates;
use crate::checks::error::CheckError;
use crate::checks::finding::{sum, unpaid};
use crate::checks::pictures::{self, PictureError, Sides};
use crate::checks::work::{WorkItem, WorkOutcome};
use crate::providers::limiter::Urgency;
use crate::providers::openai::{self, Image, MediaType, Reading};
use crate::providers::{ProviderError, ProviderResponse, rekognition};
use crate::verification::Finding;
use crate::verification::Provider;
use crate::verification::check::{ProviderTrace, Usage};
use crate::verification::faces::DetectedFace;
use crate::verification::rules::document::image::Prepared;
use crate::verification::rules::document::readings::transcription::Transcription;
use crate::verification::rules::document::{self, Evidence};

pub(super) async fn run(context: &Context, item: &WorkItem<'_>, document: &str) -> Result<WorkOutcome, CheckError> {
    let (case, policy) = (item.case, item.policy);
    let record = case.documents.iter().find(|d| d.id == document).ok_or(CheckError::RecordMissing)?;
    let evidence = vec![document.to_owned()];
    let Sides { front, back } = match pictures::sides(context, record).await {
        Ok(sides) => sides,
        Err(PictureError::Unusable(reasons)) => return Ok(unpaid(reasons, evidence)),
        Err(PictureError::Check(error)) => return Err(error),
    };
    if front.stops(policy) || back.as_ref().is_some_and(|back| back.stops(policy)) {
        let reasons = front.reasons.iter().chain(back.iter().flat_map(|b| &b.reasons)).cloned().collect();
        return Ok(unpaid(reasons, evidence));
    }
    let today = item.now.to_zoned(TimeZone::UTC).date();
    let (responses, front_ocr, back_ocr) = tokio::join!(
        ask_providers(context, item, &front, back.as_ref()),
        pictures::read_zone(context, Some(&front), today),
        pictures::read_zone(context, back.as_ref(), today),
    );
    let responses = responses?;
    let seen = Evidence {
        record: &case.record,
        document: record,
        front: &front,
        back: back.as_ref(),
        faces: &responses.faces.value,
        front_reading: transcription(&responses.front),
        back_reading: responses.back.as_ref().and_then(transcription),
        front_ocr: front_ocr.as_ref(),
        back_ocr: back_ocr.as_ref(),
    };
    let judgement = document::judge(&seen, policy, today);
    let keys = document::judge::duplicates::document_keys(&seen, &judgement, policy, today);
    let portrait = pictures::portrait(context, front, &responses.faces.value).await;
    reached(Point::PortraitCut);
    let provider = responses.trace();
    let usage = responses.usage();
    let mut finding = Finding { judgement, evidence, provider, usage, portrait, ..Finding::default() };
    if let Some(keys) = keys {
        let hash_key = context.keys.document_numbers.as_ref();
        duplicates::search(&context.client, hash_key, case, &keys, &mut finding).await?;
    }
    Ok(WorkOutcome::finding(finding))
}

/// What the providers answered about a document.
struct Responses {
    faces: ProviderResponse<Vec<DetectedFace>>,
    front: ProviderResponse<Reading>,
    back: Option<ProviderResponse<Reading>>,
}

impl Responses {
    fn trace(&self) -> ProviderTrace {
        let mut request_ids = [self.faces.request_ids.as_slice(), self.front.request_ids.as_slice()].concat();
        request_ids.extend(self.back.iter().flat_map(|back| back.request_ids.iter().cloned()));
        ProviderTrace {
            name: "rekognition+openai".to_owned(),
            model: self.front.model.clone(),
            region: self.faces.region.clone(),
            request_ids,
        }
    }

    fn usage(&self) -> Usage {
        let both = sum(self.faces.usage, self.front.usage);
        self.back.as_ref().map_or(both, |back| sum(both, back.usage))
    }
}

/// Makes all calls that are not cached yet, at the same time. Each response is cached as it comes,
/// so that the failure of one call costs no other.
async fn ask_providers(
    context: &Context,
    item: &WorkItem<'_>,
    front: &Prepared,
    back: Option<&Prepared>,
) -> Result<Responses, ProviderError> {
    let cached = context.cached(item);
    // What the model's provider may use to tell abusers apart says nothing about the person.
    let person = keyed_hash::hex(&context.keys.safety_identifier, "", &item.case.record.user);
    let faces = async {
        if let Some(faces) = cached.faces {
            return Ok(faces);
        }
        let asked = context.providers.rekognition.detect_faces(&front.jpeg);
        let begin_by = item.latest_start(rekognition::TIMEOUTS.attempt);
        let limiter = context.providers.limiters.of(Provider::Rekognition);
        let faces = limiter.call("DetectFaces", Urgency::Background, begin_by, asked).await?;
        reached(Point::FacesDetected);
        context.cache(item, |cached| cached.faces = Some(faces.clone()));
        Ok(faces)
    };
    let front = async {
        if let Some(reading) = cached.front {
            return Ok(reading);
        }
        let reading = transcribe(context, item, front, &person).await?;
        context.cache(item, |cached| cached.front = Some(reading.clone()));
        Ok(reading)
    };
    let back = async {
        let Some(back) = back else { return Ok(None) };
        if let Some(reading) = cached.back {
            return Ok(Some(reading));
        }
        let reading = transcribe(context, item, back, &person).await?;
        context.cache(item, |cached| cached.back = Some(reading.clone()));
        Ok(Some(reading))
    };
    // Not `try_join!`: a call that was paid is waited for, even when another one has failed.
    let (faces, front, back) = tokio::join!(faces, front, back);
    Ok(Responses { faces: faces?, front: front?, back: back? })
}

/// One side as the model reads it. The sides are read by separate calls, so that neither influences
/// the other.
async fn transcribe(
    context: &Context,
    item: &WorkItem<'_>,
    side: &Prepared,
    person: &str,
) -> Result<ProviderResponse<Reading>, ProviderError> {
    let image = [Image { media_type: MediaType::Jpeg, bytes: Bytes::copy_from_slice(&side.jpeg) }];
    let reading = context.providers.openai.transcribe(&image, person);
    let begin_by = item.latest_start(openai::TIMEOUTS.attempt);
    let limiter = context.providers.limiters.of(Provider::Openai);
    let response = limiter.call("ChatCompletion", Urgency::Background, begin_by, reading).await?;
    reached(Point::DocumentRead);
    Ok(response)
}

fn transcription(response: &ProviderResponse<Reading>) -> Option<&Transcription> {
    match &response.value {
        Reading::Transcribed(transcription) => Some(transcription),
        Reading::Refused | Reading::ContentFiltered => None,
    }
}
