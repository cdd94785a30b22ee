//! The recognition model that our own eyes read with: loaded once, shared by all who read.
//!
//! It is the recogniser of PP-OCRv4 as its makers publish it (ONNX, with the dictionary in its metadata), and only that file: how sure it
//! is of a letter was measured, and what follows from it does not hold for another one. Without the file there is no own reading,
//! and the findings say so. What it costs: `cargo bench --bench documents`.

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
/// Name of the dictionary in the model's metadata.
const DICTIONARY: &str = "character";
/// The model was trained on pictures in colour; ours are the same in each channel.
const CHANNELS: usize = 3;

/// Why a file is no model that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// It is damaged, or another model.
    #[error(
        "the file is not the model this version was tried with: its SHA-256 is {found} and not {MODEL_SHA256}; scripts/models installs the right one"
    )]
    Other {
        /// What it is instead.
        found: String,
    },
    /// It cannot be run here.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// It has no dictionary.
    #[error("the model's metadata has no dictionary with the characters of a machine-readable zone")]
    Dictionary,
    /// It runs, but not as a recogniser does.
    #[error("the model does not answer like a recogniser: {0}")]
    Answer(String),
}

/// A loaded model. Clones share it.
#[derive(Clone)]
pub struct OcrModel {
    shared: Arc<Shared>,
}

struct Shared {
    model: Model,
    alphabet: Alphabet,
    /// All strips together take at most this many cores.
    threads: Arc<ThreadPool>,
}

impl std::fmt::Debug for OcrModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OcrModel").finish_non_exhaustive()
    }
}

impl OcrModel {
    /// Loads the model of `file` and tries it on an empty strip. All who read with it take at most `threads` cores together.
    ///
    /// # Errors
    /// Where the file is not the model, or the model does not run.
    pub fn load(file: &Path, threads: usize) -> Result<Self, ModelError> {
        let bytes = std::fs::read(file).map_err(ModelError::Read)?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != MODEL_SHA256 {
            return Err(ModelError::Other { found });
        }
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load(bytes)
            .map_err(|error| ModelError::Load(error.to_string()))?;
        let dictionary = model.metadata().get(DICTIONARY).ok_or(ModelError::Dictionary)?;
        let alphabet = Alphabet::new(dictionary).ok_or(ModelError::Dictionary)?;
        let shared = Shared { model, alphabet, threads: Arc::new(ThreadPool::with_num_threads(threads)) };
        let recogniser = Self { shared: Arc::new(shared) };
        let (width, white) = (STRIP_WIDTH_MIN, 1.0);
        recogniser.try_recognise(&Strip { width, pixels: vec![white; width * STRIP_HEIGHT] })?;
        Ok(recogniser)
    }

    /// Runs the model on a strip; `None` where it fails.
    pub fn recognise(&self, strip: &Strip) -> Option<Vec<Step>> {
        self.try_recognise(strip).inspect_err(|error| tracing::warn!(%error, "a strip could not be read")).ok()
    }

    fn try_recognise(&self, strip: &Strip) -> Result<Vec<Step>, ModelError> {
        let failed = |error: &dyn std::fmt::Display| ModelError::Answer(error.to_string());
        // From 0..1 to -1..1, as it was trained.
        let channel = strip.pixels.iter().map(|brightness| brightness * 2.0 - 1.0);
        let pixels: Vec<f32> = std::iter::repeat_n(channel, CHANNELS).flatten().collect();
        let input = NdTensor::from_data([1, CHANNELS, STRIP_HEIGHT, strip.width], pixels);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.shared.threads)));
        let answer = self.shared.model.run_one(Value::from(input).into(), Some(options)).map_err(|e| failed(&e))?;
        let scores: NdTensor<f32, 3> = answer.try_into().map_err(|_| failed(&"its shape is another"))?;
        let [_, steps, classes] = scores.shape();
        if classes < self.shared.alphabet.classes() {
            return Err(failed(&"it has fewer classes than its dictionary"));
        }
        let scores = scores.to_vec();
        Ok(scores.chunks_exact(classes).take(steps).map(|step| self.shared.alphabet.step(step)).collect())
    }
}
