//! `DetectFaces` and `CompareFaces`, answered from what `vision` finds.

use serde_json::{Map, Value, json};

use super::errors::AwsError;
use super::images::{self, Picture};
use crate::request_log::Notes;
use crate::seed::Seed;
use crate::state::Sandbox;
use crate::vision::{BoundingBox, DetectedFace};

const ATTRIBUTES: [&str; 14] = [
    "DEFAULT",
    "ALL",
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYE_DIRECTION",
    "EYEGLASSES",
    "EYES_OPEN",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "FACE_OCCLUDED",
    "SMILE",
    "SUNGLASSES",
];
const FACES_MAX: usize = 100;
const DEFAULT_THRESHOLD: f64 = 80.0;
/// The landmarks of a face, as ratios of its box.
const LANDMARKS: [(&str, f64, f64); 5] = [
    ("eyeLeft", 0.31, 0.40),
    ("eyeRight", 0.69, 0.40),
    ("mouthLeft", 0.35, 0.75),
    ("mouthRight", 0.65, 0.75),
    ("nose", 0.50, 0.58),
];
/// `anna-lookalike` is another person than `anna`, with a similar face.
const LOOKALIKE_ENDING: &str = "-lookalike";

/// Answers `DetectFaces`.
pub fn detect(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Value, AwsError> {
    let wanted = attributes(request)?;
    let picture = images::read(sandbox, request, "Image", notes)?;
    let details: Vec<_> =
        picture.faces().map(|(index, face)| face_detail(sandbox.seed, &picture, index, face, &wanted)).collect();
    Ok(json!({"FaceDetails": details}))
}

/// Answers `CompareFaces`.
pub fn compare(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Value, AwsError> {
    let threshold = threshold(request)?;
    let sharpness_min = quality_filter(request)?;
    let source = images::read(sandbox, request, "SourceImage", notes)?;
    let target = images::read(sandbox, request, "TargetImage", notes)?;
    let usable = |face: &DetectedFace| face.sharpness >= sharpness_min;
    // Of the source, the largest face is compared.
    let (source_index, source_face) =
        source.faces().next().filter(|(_, face)| usable(face)).ok_or_else(AwsError::invalid_parameter)?;
    if target.faces().next().is_none() {
        return Err(AwsError::invalid_parameter());
    }
    let lookalikes = sandbox.state().settings.lookalikes.clone();
    let mut matches = Vec::new();
    let mut unmatched = Vec::new();
    for (index, face) in target.faces().filter(|(_, face)| usable(face)) {
        let pair = [source.hash.as_bytes(), target.hash.as_bytes(), &index.to_be_bytes()];
        let similarity = similarity(sandbox.seed, &source_face.person, &face.person, &lookalikes, &pair);
        let compared = compared_face(sandbox.seed, &target, index, face);
        if similarity >= threshold {
            matches.push((similarity, compared));
        } else {
            unmatched.push(compared);
        }
    }
    matches.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let matches: Vec<_> =
        matches.into_iter().map(|(similarity, face)| json!({"Similarity": similarity, "Face": face})).collect();
    let confidence = confidence(sandbox.seed, &source, source_index);
    Ok(json!({
        "SourceImageFace": {"BoundingBox": bounding_box(&source_face.bounds), "Confidence": confidence},
        "FaceMatches": matches,
        "UnmatchedFaces": unmatched,
    }))
}

impl Picture {
    fn faces(&self) -> impl Iterator<Item = (usize, &DetectedFace)> {
        self.analysis.faces.iter().take(FACES_MAX).enumerate()
    }
}

fn attributes(request: &Value) -> Result<Vec<&str>, AwsError> {
    let refused = || {
        AwsError::validation(
            "(attributes)",
            "attributes",
            &format!("Member must satisfy enum value set: [{}]", ATTRIBUTES.join(", ")),
        )
    };
    let names = match &request["Attributes"] {
        Value::Null => return Ok(vec!["DEFAULT"]),
        Value::Array(names) => names,
        _ => return Err(refused()),
    };
    names.iter().map(|name| name.as_str().filter(|name| ATTRIBUTES.contains(name)).ok_or_else(refused)).collect()
}

fn threshold(request: &Value) -> Result<f64, AwsError> {
    match &request["SimilarityThreshold"] {
        Value::Null => Ok(DEFAULT_THRESHOLD),
        value => value.as_f64().filter(|value| (0.0..=100.0).contains(value)).ok_or_else(|| {
            AwsError::validation(&value.to_string(), "similarityThreshold", "Member must have value between 0 and 100")
        }),
    }
}

/// The sharpness below which a face is ignored.
fn quality_filter(request: &Value) -> Result<f32, AwsError> {
    match &request["QualityFilter"] {
        Value::Null => Ok(0.0),
        value => match value.as_str() {
            Some("NONE") => Ok(0.0),
            Some("LOW") => Ok(10.0),
            Some("AUTO" | "MEDIUM") => Ok(30.0),
            Some("HIGH") => Ok(60.0),
            _ => Err(AwsError::validation(
                &value.to_string(),
                "qualityFilter",
                "Member must satisfy enum value set: [NONE, AUTO, LOW, MEDIUM, HIGH]",
            )),
        },
    }
}

/// Similarity of two faces, 0 to 100, by whose faces they are, with a little noise that follows
/// from the pictures.
fn similarity(seed: Seed, one: &str, other: &str, lookalikes: &[(String, String)], pair: &[&[u8]]) -> f64 {
    let stem = |person: &str| person.strip_suffix(LOOKALIKE_ENDING).unwrap_or(person).to_owned();
    let listed = lookalikes.iter().any(|(a, b)| (a == one && b == other) || (a == other && b == one));
    if one == other {
        seed.between(99.1, 99.99, "same face", pair)
    } else if listed || stem(one) == stem(other) {
        seed.between(85.0, 92.0, "lookalike", pair)
    } else {
        seed.between(0.0, 20.0, "other face", pair)
    }
}

fn face_detail(seed: Seed, picture: &Picture, index: usize, face: &DetectedFace, wanted: &[&str]) -> Value {
    let mut detail = basics(seed, picture, index, face);
    let requested = |name| wanted.contains(&name) || wanted.contains(&"ALL");
    let sure =
        |value: bool, label| json!({"Value": value, "Confidence": noise(seed, picture, index, label, 96.0, 99.9)});
    if requested("FACE_OCCLUDED") {
        detail.insert("FaceOccluded".to_owned(), sure(face.occluded, "occluded"));
    }
    if requested("EYES_OPEN") {
        detail.insert("EyesOpen".to_owned(), sure(face.eyes_open, "eyes open"));
    }
    if requested("SUNGLASSES") {
        detail.insert("Sunglasses".to_owned(), sure(face.sunglasses, "sunglasses"));
    }
    if requested("EYEGLASSES") {
        detail.insert("Eyeglasses".to_owned(), sure(face.sunglasses, "eyeglasses"));
    }
    // The sandbox has no values for these attributes; it answers a constant in the shape that AWS
    // documents.
    for (attribute, member) in
        [("SMILE", "Smile"), ("BEARD", "Beard"), ("MUSTACHE", "Mustache"), ("MOUTH_OPEN", "MouthOpen")]
    {
        if requested(attribute) {
            detail.insert(member.to_owned(), sure(false, member));
        }
    }
    if requested("EMOTIONS") {
        detail.insert(
            "Emotions".to_owned(),
            json!([{"Type": "CALM", "Confidence": noise(seed, picture, index, "calm", 90.0, 99.0)}]),
        );
    }
    Value::Object(detail)
}

fn compared_face(seed: Seed, picture: &Picture, index: usize, face: &DetectedFace) -> Value {
    Value::Object(basics(seed, picture, index, face))
}

/// The members that every answer has for a face.
fn basics(seed: Seed, picture: &Picture, index: usize, face: &DetectedFace) -> Map<String, Value> {
    let angle = |label| noise(seed, picture, index, label, -4.0, 4.0);
    let landmarks: Vec<_> = LANDMARKS
        .iter()
        .map(|(name, across, down)| {
            let x = f64::from(face.bounds.left) + across * f64::from(face.bounds.width);
            let y = f64::from(face.bounds.top) + down * f64::from(face.bounds.height);
            json!({"Type": name, "X": x, "Y": y})
        })
        .collect();
    let members = [
        ("BoundingBox", bounding_box(&face.bounds)),
        ("Confidence", confidence(seed, picture, index)),
        ("Landmarks", landmarks.into()),
        ("Pose", json!({"Roll": angle("roll"), "Yaw": angle("yaw"), "Pitch": angle("pitch")})),
        ("Quality", json!({"Brightness": face.brightness, "Sharpness": face.sharpness})),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn bounding_box(bounds: &BoundingBox) -> Value {
    json!({"Width": bounds.width, "Height": bounds.height, "Left": bounds.left, "Top": bounds.top})
}

fn confidence(seed: Seed, picture: &Picture, index: usize) -> Value {
    noise(seed, picture, index, "confidence", 99.9, 100.0).into()
}

fn noise(seed: Seed, picture: &Picture, index: usize, label: &str, low: f64, high: f64) -> f64 {
    seed.between(low, high, label, &[picture.hash.as_bytes(), &index.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str, lookalikes: &[(String, String)]) -> f64 {
        similarity(Seed(5), one, other, lookalikes, &[b"source", b"target"])
    }

    #[test]
    fn similarity_distinguishes_the_same_a_similar_and_another_face() {
        assert!(alike("anna", "anna", &[]) > 99.0);
        assert!((85.0..92.0).contains(&alike("anna", "anna-lookalike", &[])));
        assert!((85.0..92.0).contains(&alike("bob", "anna", &[("anna".to_owned(), "bob".to_owned())])));
        assert!(alike("anna", "bob", &[]) < 20.0);
    }

    #[test]
    fn requests_are_validated_by_the_service_model() {
        assert_eq!(threshold(&json!({})), Ok(80.0));
        assert_eq!(threshold(&json!({"SimilarityThreshold": 0})), Ok(0.0));
        assert!(threshold(&json!({"SimilarityThreshold": 100.5})).is_err());
        assert!(attributes(&json!({"Attributes": ["DEFAULT", "HALO"]})).is_err());
        assert!(quality_filter(&json!({"QualityFilter": "BEST"})).is_err());
    }
}
