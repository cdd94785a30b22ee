//! Measures what a document costs this machine, part by part: `cargo bench --bench documents`.
//!
//! Processor time of this one thread (for the local OCR: of all threads), as the kernel counts it,
//! so a busy machine changes little; the median of several rounds over the pictures that the
//! specimen maker draws. It also reports bytes in and out, and the tokens that re-encoding saves a
//! vision model, by the published formula. `docs/documents-cost.md` holds the last table.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use identivia::checks::ocr_model::OcrModel;
use identivia::pixels::{barcode, scale};
use identivia::verification::faces::{BoundingBox, DetectedFace};
use identivia::verification::rules::document::image::{self, Limits, Prepared, faces, metadata, open, quality};
use identivia::verification::rules::document::readings::transcription::Transcription;
use identivia::verification::rules::document::readings::{aamva, mrz, ocr};
use identivia::verification::rules::document::vocabulary::Side;
use identivia::verification::rules::document::{self, Evidence};
use identivia::verification::{Document, DocumentType, Policy, Verification};
use serde_json::{Value, json};

/// Rounds in which a part is measured; the median counts.
const ROUNDS: usize = 9;
/// Parts that take less time are repeated within a round until they have taken this long.
const ROUND_MIN: Duration = Duration::from_millis(20);

/// A document to measure: its name, the specimen maker's type, the type it is uploaded as, further
/// options of the maker.
const DOCUMENTS: [(&str, &str, DocumentType, &[&str]); 4] = [
    ("passport", "passport", DocumentType::Passport, &[]),
    ("identity card", "identity-card", DocumentType::IdentityCard, &[]),
    ("large identity card", "identity-card-td2", DocumentType::IdentityCard, &[]),
    ("driving licence", "driving-licence", DocumentType::DrivingLicence, &[]),
];

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut parts = Table::new(&[
        "document",
        "metadata",
        "header, decode",
        "shrink",
        "square codes",
        "face gate",
        "quality",
        "re-encode",
        "barcode",
        "zone",
        "barcode's text",
        "local OCR",
        "model's answer",
        "judge",
        "prepare in all",
    ]);
    let mut sizes = Table::new(&["document", "picture", "KiB in", "KiB out", "tokens as uploaded", "tokens as sent"]);
    for (name, kind, uploaded_as, options) in DOCUMENTS {
        let pictures = draw(folder.path(), kind, options);
        parts.row(name, &costs(&pictures, uploaded_as));
        for (side, bytes) in [("front", Some(&pictures.front)), ("back", pictures.back.as_ref())] {
            if let Some(bytes) = bytes {
                sizes.row(name, &shrinks(side, bytes));
            }
        }
    }
    let phone = folder.path().join("phone.png");
    let large = enlarged(&draw(folder.path(), "passport", &[]).front);
    std::fs::write(&phone, &large).expect("written");
    parts.row(
        "passport, 12 megapixels",
        &costs(
            &Pictures { front: large.clone(), back: None, reading: seen_by_a_model(&phone) },
            DocumentType::Passport,
        ),
    );
    sizes.row("passport, 12 megapixels", &shrinks("front", &large));
    let clock = if cpu_time().is_some() {
        "processor time of the thread"
    } else {
        "wall time: this system does not tell a thread's processor time"
    };
    println!("\nmilliseconds, median of {ROUNDS}, {clock}; both sides together\n\n{}", parts.text());
    println!(
        "sizes; tokens by the published formula of 32 x 32 patches, at most {PATCHES_MAX}, before the model's own factor: an estimate\n\n{}",
        sizes.text()
    );
}

/// The pictures of a document.
struct Pictures {
    front: Vec<u8>,
    back: Option<Vec<u8>>,
    /// What a model reads on both sides, as the sandbox's vision sees them.
    reading: Vec<Value>,
}

fn draw(folder: &Path, kind: &str, options: &[&str]) -> Pictures {
    let (front, back) = (folder.join(format!("{kind}.jpg")), folder.join(format!("{kind}-back.jpg")));
    let status = Command::new(sandbox()).args(["specimen", "--type", kind, "--out"]).arg(&front).args(options).output();
    assert!(status.expect("the sandbox runs").status.success(), "{kind} cannot be drawn");
    let read = |path: &PathBuf| std::fs::read(path).ok();
    let mut reading = seen_by_a_model(&front);
    if back.exists() {
        reading.extend(seen_by_a_model(&back));
    }
    Pictures { front: read(&front).expect("a front"), back: read(&back), reading }
}

fn sandbox() -> &'static str {
    env!("CARGO_BIN_EXE_sandbox")
}

/// The sandbox's vision stands in for a model.
fn seen_by_a_model(picture: &Path) -> Vec<Value> {
    let output = Command::new(sandbox()).arg("look").arg(picture).output().expect("the sandbox runs");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let document = &seen["document"];
    let mut fields = document["fields"].clone();
    if let Some(members) = fields.as_object_mut() {
        let authority = members.shift_remove("authority").unwrap_or_default();
        members.insert("issuing_authority".to_owned(), authority);
    }
    vec![json!({
        "document_type": document["document_type"], "issuing_state": document["issuing_state"], "side": document["side"],
        "fields": if fields.is_object() { fields } else { json!({}) }, "mrz_lines": document["mrz_lines"], "readable": "good", "suspicions": [],
        "visible_text": ["PASSPORT", "UTOPIA"], "instructions_seen": false,
    })]
}

/// The same picture at a phone's twelve megapixels.
fn enlarged(jpeg: &[u8]) -> Vec<u8> {
    let picture = ::image::load_from_memory(jpeg).expect("a picture");
    let large = picture.resize_exact(4000, 3000, ::image::imageops::FilterType::Triangle).to_rgb8();
    image::encode(&large, 85).expect("a JPEG")
}

/// Measures every part, on both sides.
fn costs(pictures: &Pictures, uploaded_as: DocumentType) -> Vec<String> {
    let limits = Limits::default();
    let sides: Vec<(&[u8], Side)> = [(Some(&pictures.front), Side::Front), (pictures.back.as_ref(), Side::Back)]
        .into_iter()
        .filter_map(|(bytes, side)| Some((bytes?.as_slice(), side)))
        .collect();
    let opened: Vec<_> = sides
        .iter()
        .map(|(bytes, _)| open::open(bytes, &limits).map_err(|reason| reason.detail).expect("it opens").picture)
        .collect();
    let sent: Vec<_> = opened.iter().map(|picture| image::shrink(picture.clone(), limits.sent_side)).collect();
    let luma: Vec<_> = sent.iter().map(scale::grey).collect();
    let prepared: Vec<Prepared> =
        sides.iter().map(|(bytes, side)| image::prepare(bytes, *side, &limits).expect("it can be prepared")).collect();
    let zone: Vec<String> = pictures
        .reading
        .iter()
        .flat_map(|reading| reading["mrz_lines"].as_array().cloned().unwrap_or_default())
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect();
    let readings: Vec<Transcription> =
        pictures.reading.iter().map(|reading| Transcription::read(reading).expect("a reading")).collect();
    let payload = prepared.iter().flat_map(|side| &side.barcodes).next().cloned().unwrap_or_default();
    let today = jiff::civil::date(2026, 11, 25);
    let ocr_model = OcrModel::load(&model(), 1).expect("a model that can be loaded");
    let submission = Submission::of(uploaded_as, &prepared, &readings);
    let all = |part: &dyn Fn(usize)| (0..sides.len()).for_each(part);
    let measured = [
        cost(|| all(&|side| drop(black_box(metadata::read(sides[side].0, image::Format::Jpeg))))),
        cost(|| all(&|side| drop(black_box(open::open(sides[side].0, &limits))))),
        cost(|| all(&|side| drop(black_box(image::shrink(opened[side].clone(), limits.sent_side))))),
        cost(|| all(&|side| drop(black_box(barcode::read_square(&luma[side]))))),
        cost(|| drop(black_box(faces::upright(&sent[0])))),
        cost(|| all(&|side| drop(black_box(quality::measure(&sent[side], &luma[side]))))),
        cost(|| all(&|side| drop(black_box(image::encode(&sent[side], limits.sent_quality))))),
        cost(|| {
            all(&|side| {
                if sides[side].1 == Side::Back {
                    drop(black_box(barcode::read(&luma[side])));
                }
            });
        }),
        cost(|| drop(black_box(mrz::read(&zone, today)))),
        cost(|| drop(black_box(aamva::parse(&payload)))),
        cost_by(process_time, || {
            all(&|side| drop(black_box(ocr::read(&luma[side], today, |strip| ocr_model.recognise(strip)))));
        }),
        cost(|| pictures.reading.iter().for_each(|reading| drop(black_box(Transcription::read(reading))))),
        cost(|| drop(black_box(document::judge(&submission.evidence(), &submission.policy, today)))),
        cost(|| all(&|side| drop(black_box(image::prepare(sides[side].0, sides[side].1, &limits))))),
    ];
    measured.iter().map(|time| format!("{:.2}", time.as_secs_f64() * 1000.0)).collect()
}

/// A document with all its evidence.
struct Submission<'a> {
    record: Verification,
    document: Document,
    prepared: &'a [Prepared],
    readings: &'a [Transcription],
    faces: Vec<DetectedFace>,
    policy: Policy,
}

impl<'a> Submission<'a> {
    fn of(document_type: DocumentType, prepared: &'a [Prepared], readings: &'a [Transcription]) -> Self {
        let policy = json!({
            "id": "policy000000001", "name": "default", "version": 1, "required_checks": ["document"], "face_match_pass": 90.0,
            "face_match_review": 80.0, "attempts_max": 3, "liveness_sessions_max": 5, "input_hours": 24, "technical_minutes": 30,
            "device_max_age_seconds": 600, "work_tries_max": 3, "minimum_age": 18,
        });
        let document = Document {
            id: "document0000001".to_owned(),
            document_type,
            country: String::new(),
            front: "front.jpg".to_owned(),
            back: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        let face = DetectedFace {
            bounds: Some(BoundingBox { left: 0.1, top: 0.2, width: 0.12, height: 0.2 }),
            confidence: Some(99.9),
            yaw: None,
            pitch: None,
            roll: None,
            brightness: None,
            sharpness: None,
            occluded: None,
            eyes_open: None,
            sunglasses: None,
        };
        let record = Verification { declared_name: "Anna Maria Eriksson".to_owned(), ..Verification::default() };
        let policy = serde_json::from_value(policy).expect("a policy");
        Self { record, document, prepared, readings, faces: vec![face], policy }
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            record: &self.record,
            document: &self.document,
            front: &self.prepared[0],
            back: self.prepared.get(1),
            faces: &self.faces,
            front_reading: self.readings.first(),
            back_reading: self.readings.get(1),
            front_ocr: None,
            back_ocr: None,
        }
    }
}

/// The OCR model that `scripts/models` installs.
fn model() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/models");
    let said = Command::new(script).output().expect("scripts/models runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    PathBuf::from(String::from_utf8(said.stdout).expect("a path").trim())
}

/// Median over the rounds of one run of `part`, on the thread's clock.
fn cost(part: impl Fn()) -> Duration {
    cost_by(now, part)
}

fn cost_by(clock: fn() -> Duration, part: impl Fn()) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| round(clock, &part)).collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn round(now: fn() -> Duration, part: &impl Fn()) -> Duration {
    let began = now();
    let mut runs = 0;
    loop {
        part();
        runs += 1;
        let spent = now().saturating_sub(began);
        if spent >= ROUND_MIN {
            return spent / runs;
        }
    }
}

/// A clock that advances only while this thread works.
fn now() -> Duration {
    thread_local!(static BEGAN: Instant = Instant::now());
    cpu_time().unwrap_or_else(|| BEGAN.with(Instant::elapsed))
}

/// The same for all threads together: the OCR model works on threads of its own.
fn process_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times: Vec<Duration> = tasks.filter_map(|task| cpu_time_of(&task.path().join("schedstat"))).collect();
    if times.is_empty() { now() } else { times.iter().sum() }
}

fn cpu_time() -> Option<Duration> {
    cpu_time_of(Path::new("/proc/thread-self/schedstat"))
}

/// Linux: the first number of this file is the thread's processor time in nanoseconds.
fn cpu_time_of(file: &Path) -> Option<Duration> {
    let text = std::fs::read_to_string(file).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos).filter(|time| !time.is_zero())
}

/// Most patches that a model uses.
const PATCHES_MAX: u32 = 1536;

/// Bytes and tokens before and after re-encoding.
fn shrinks(side: &str, bytes: &[u8]) -> Vec<String> {
    let wanted = if side == "front" { Side::Front } else { Side::Back };
    let prepared = image::prepare(bytes, wanted, &Limits::default()).expect("it can be prepared");
    let original = prepared.original;
    #[expect(clippy::cast_precision_loss, reason = "a file has few bytes")]
    let kib = |bytes: usize| format!("{:.0}", bytes as f64 / 1024.0);
    vec![
        format!("{side}, {} x {} to {} x {}", original.width, original.height, prepared.width, prepared.height),
        kib(bytes.len()),
        kib(prepared.jpeg.len()),
        patches(original.width, original.height).to_string(),
        patches(prepared.width, prepared.height).to_string(),
    ]
}

/// A picture costs a token for each patch of 32 x 32 pixels; beyond the most, the provider scales
/// it down.
fn patches(width: u32, height: u32) -> u32 {
    (width.div_ceil(32) * height.div_ceil(32)).min(PATCHES_MAX)
}

/// Rows of a Markdown table.
struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        let head: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
        let rule = head.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }.to_owned()).collect();
        Self { lines: vec![head, rule] }
    }

    fn row(&mut self, name: &str, values: &[String]) {
        self.lines.push([&[name.to_owned()], values].concat());
    }

    fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "| {} |", line.join(" | "));
            text
        })
    }
}
