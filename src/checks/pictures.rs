//! Pictures of documents: fetching, and decoding off the async threads.

use std::time::Instant;

use bytes::Bytes;
use jiff::civil::Date;

use crate::base::failpoints::{Point, reached, reached_with};
use crate::checks::context::Context;
use crate::checks::error::CheckError;
use crate::pixels::scale::grey;
use crate::pocketbase::Client;
use crate::pocketbase::records::Collection;
use crate::verification::faces::DetectedFace;
use crate::verification::rules::document::image::{self, Limits, Prepared};
use crate::verification::rules::document::readings::ocr::{self, OcrReading};
use crate::verification::rules::document::vocabulary::Side;
use crate::verification::rules::document::{self};
use crate::verification::{Code, Document, Reason};

/// Largest picture that is fetched: the collections' own limit and a little.
const PICTURE_BYTES_MAX: usize = 6 * 1024 * 1024;

/// Both sides of a document, decoded and re-encoded.
pub(super) struct Sides {
    pub(super) front: Prepared,
    /// `None` for a document of one side.
    pub(super) back: Option<Prepared>,
}

/// Why there are no sides to read.
pub(super) enum PictureError {
    /// The pictures themselves are at fault, for these reasons.
    Unusable(Vec<Reason>),
    Check(CheckError),
}

impl From<CheckError> for PictureError {
    fn from(error: CheckError) -> Self {
        PictureError::Check(error)
    }
}

/// Fetches and decodes the pictures of `document`.
pub(super) async fn sides(context: &Context, document: &Document) -> Result<Sides, PictureError> {
    let (front, back) =
        tokio::join!(side(&context.client, document, &document.front), side(&context.client, document, &document.back));
    let (front, back) = (front?, back?);
    reached(Point::PicturesFetched);
    let front = document::front(front).map_err(|reason| PictureError::Unusable(vec![reason]))?;
    let front = decode(context, &document.id, front, Side::Front).await?;
    let back = match back {
        Some(back) => Some(decode(context, &document.id, back, Side::Back).await?),
        None => None,
    };
    Ok(Sides { front, back })
}

/// The file `name` of `document`, where the record names one.
async fn side(client: &Client, document: &Document, name: &str) -> Result<Option<Bytes>, CheckError> {
    if name.is_empty() {
        return Ok(None);
    }
    download(client, Collection::Documents, &document.id, name).await.map(Some)
}

/// The file `name` of `record`.
pub(super) async fn download(
    client: &Client,
    collection: Collection,
    record: &str,
    name: &str,
) -> Result<Bytes, CheckError> {
    let file = client.download(collection, record, name, PICTURE_BYTES_MAX).await?;
    file.ok_or_else(|| CheckError::FileMissing { collection, record: record.to_owned() })
}

async fn decode(context: &Context, document: &str, bytes: Bytes, side: Side) -> Result<Prepared, PictureError> {
    // The semaphore is never closed.
    let Ok(_permit) = context.decoders.acquire().await else { return Err(CheckError::Stopping.into()) };
    let document = document.to_owned();
    let task = tokio::task::spawn_blocking(move || {
        reached_with(Point::Decoding, &document);
        image::prepare(&bytes, side, &Limits::default())
    });
    let prepared = task.await.unwrap_or_else(|_| {
        // A picture that makes the decoder panic would do so again.
        Err(vec![Reason::new(Code::DocumentUnreadable, "the picture could not be decoded")])
    });
    prepared.map_err(PictureError::Unusable)
}

/// Cuts out the face of the document, where one stands out: what the liveness reference image is
/// compared with.
pub(super) async fn portrait(context: &Context, front: Prepared, faces: &[DetectedFace]) -> Option<Vec<u8>> {
    let bounds = document::portrait(faces)?;
    let _permit = context.decoders.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || front.portrait(bounds)).await.ok().flatten()
}

/// The machine-readable zone as local OCR reads it, from the same picture that the model is sent.
/// Runs while the providers work, so it adds no waiting. `None` without a model and where OCR
/// fails; neither says anything about the person.
pub(super) async fn read_zone(context: &Context, side: Option<&Prepared>, today: Date) -> Option<OcrReading> {
    let ocr_model = context.ocr_model.clone()?;
    let jpeg = side?.jpeg.clone();
    let _permit = context.decoders.acquire().await.ok()?;
    let began = Instant::now();
    let read = tokio::task::spawn_blocking(move || {
        let picture = ::image::load_from_memory_with_format(&jpeg, ::image::ImageFormat::Jpeg).ok()?;
        Some(ocr::read(&grey(&picture.into_rgb8()), today, |strip| ocr_model.recognise(strip)))
    });
    let reading = read.await.ok().flatten();
    metrics::histogram!("work_duration_seconds", "work" => "own_eyes").record(began.elapsed().as_secs_f64());
    reading
}
