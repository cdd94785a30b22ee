//! The recognition model of local OCR, loaded once and shared by all checks.
//!
//! It is the recogniser of PP-OCRv4 as its authors publish it (ONNX, with the dictionary in its
//! metadata), and only that file: its confidence in a letter was measured, and the thresholds that
//! rest on this measurement do not hold for another model. Without the file there is no local OCR,
//! and the findings say so. Its cost: `cargo bench --bench documents`.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::verification::rules::document::readings::ocr::letters::{Alphabet, Step};
use crate::verification::rules::document::readings::ocr::strip::{STRIP_HEIGHT, STRIP_WIDTH_MIN, Strip};

/// SHA-256 of the model that `scripts/models` installs.
pub const MODEL_SHA256: &str = "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b";
/// Key of the dictionary in the model's metadata.
const DICTIONARY: &str = "character";
/// The model was trained on colour pictures; ours have the same brightness in each channel.
const CHANNELS: usize = 3;

/// A file that cannot be used as the model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is missing or not readable.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// The file is damaged, or another model.
    #[error(
        "the file is not the model that this version was tested with: its SHA-256 is {found}, not {MODEL_SHA256}; scripts/models installs the right one"
    )]
    WrongFile {
        /// SHA-256 of the file, in hexadecimal.
        found: String,
    },
    /// The runtime does not support the model.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// The metadata lacks the dictionary, or characters of a machine-readable zone.
    #[error("the model's metadata has no dictionary with the characters of a machine-readable zone")]
    Dictionary,
    /// The model runs, and its output does not have the shape of a recogniser's.
    #[error("the model does not answer like a recogniser: {0}")]
    Output(String),
}

/// The loaded model. Clones share it.
#[derive(Clone)]
pub struct OcrModel {
    shared: Arc<Shared>,
}

struct Shared {
    model: Model,
    alphabet: Alphabet,
    /// Bounds the cores that all strips take together.
    threads: Arc<ThreadPool>,
}

impl std::fmt::Debug for OcrModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OcrModel").finish_non_exhaustive()
    }
}

impl OcrModel {
    /// Loads the model from `file` and tries it on an empty strip. All readings together take at
    /// most `threads` cores.
    ///
    /// # Errors
    /// When the file is not the expected model, or the model does not run.
    pub fn load(file: &Path, threads: usize) -> Result<Self, ModelError> {
        let bytes = std::fs::read(file).map_err(ModelError::Read)?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != MODEL_SHA256 {
            return Err(ModelError::WrongFile { found });
        }
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load(bytes)
            .map_err(|error| ModelError::Load(error.to_string()))?;
        let dictionary = model.metadata().get(DICTIONARY).ok_or(ModelError::Dictionary)?;
        let alphabet = Alphabet::new(dictionary).ok_or(ModelError::Dictionary)?;
        let shared = Shared { model, alphabet, threads: Arc::new(ThreadPool::with_num_threads(threads)) };
        let model = Self { shared: Arc::new(shared) };
        let (width, white) = (STRIP_WIDTH_MIN, 1.0);
        model.try_recognise(&Strip { width, pixels: vec![white; width * STRIP_HEIGHT] })?;
        Ok(model)
    }

    /// Runs the model on a strip; `None` when it fails.
    pub fn recognise(&self, strip: &Strip) -> Option<Vec<Step>> {
        self.try_recognise(strip).inspect_err(|error| tracing::warn!(%error, "local OCR failed on a strip")).ok()
    }

    fn try_recognise(&self, strip: &Strip) -> Result<Vec<Step>, ModelError> {
        let failed = |error: &dyn std::fmt::Display| ModelError::Output(error.to_string());
        // The model was trained on values from -1 to 1.
        let channel = strip.pixels.iter().map(|brightness| brightness * 2.0 - 1.0);
        let pixels: Vec<f32> = std::iter::repeat_n(channel, CHANNELS).flatten().collect();
        let input = NdTensor::from_data([1, CHANNELS, STRIP_HEIGHT, strip.width], pixels);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.shared.threads)));
        let answer = self.shared.model.run_one(Value::from(input).into(), Some(options)).map_err(|e| failed(&e))?;
        let scores: NdTensor<f32, 3> = answer.try_into().map_err(|_| failed(&"the output has an unexpected shape"))?;
        let [_, steps, classes] = scores.shape();
        if classes < self.shared.alphabet.classes() {
            return Err(failed(&"the output has fewer classes than the dictionary"));
        }
        let scores = scores.to_vec();
        Ok(scores.chunks_exact(classes).take(steps).map(|step| self.shared.alphabet.step(step)).collect())
    }
}
