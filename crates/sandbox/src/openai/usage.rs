//! The tokens of a request, at plausible values.

use serde_json::{Value, json};

use crate::vision::Analysis;

/// Most patches of 32 by 32 pixels per image.
const PATCHES_MAX: u32 = 1536;
/// Reasoning tokens at medium effort, for any prompt.
const REASONING_TOKENS: u64 = 256;

/// Tokens of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt's text.
    pub text: u64,
    /// Tokens of the prompt's images.
    pub image: u64,
    /// Tokens of the visible answer.
    pub answer: u64,
    /// Tokens of the hidden reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// The `usage` object of a chat completion.
    pub fn of_chat(self) -> Value {
        json!({
            "prompt_tokens": self.text + self.image,
            "completion_tokens": self.answer + self.reasoning,
            "total_tokens": self.text + self.image + self.answer + self.reasoning,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "image_tokens": self.image},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
            },
        })
    }

    /// The `usage` object of a response.
    pub fn of_response(self) -> Value {
        json!({
            "input_tokens": self.text + self.image,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "image_tokens": self.image},
            "output_tokens": self.answer + self.reasoning,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.text + self.image + self.answer + self.reasoning,
        })
    }
}

/// About four characters make a token.
pub fn text_tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

/// Reasoning tokens of a reasoning model, by effort.
pub fn reasoning_tokens(effort: &str) -> u64 {
    match effort {
        "none" => 0,
        "minimal" => REASONING_TOKENS / 4,
        "low" => REASONING_TOKENS / 2,
        "high" | "xhigh" | "max" => REASONING_TOKENS * 2,
        _ => REASONING_TOKENS,
    }
}

/// The tokens of one image for a model.
pub fn image_tokens(model: &str, picture: &Analysis, detail: &str) -> u64 {
    let in_tiles = model.starts_with("gpt-4o") || model == "gpt-4.1";
    if in_tiles {
        return if detail == "low" { 85 } else { tile_tokens(picture) };
    }
    let patches = (picture.width.div_ceil(32).saturating_mul(picture.height.div_ceil(32))).min(PATCHES_MAX);
    let percent: u32 = match model {
        "gpt-4.1-mini" | "gpt-5-mini" => 162,
        _ => 172,
    };
    u64::from(patches) * u64::from(percent) / 100
}

/// 85, and 170 for each tile of 512 pixels, after the picture was scaled to fit 2048 pixels and its
/// short side 768.
fn tile_tokens(picture: &Analysis) -> u64 {
    let (short, long) = (f64::from(picture.width.min(picture.height)), f64::from(picture.width.max(picture.height)));
    let fit = (2048.0 / long).min(1.0);
    let fit = fit * (768.0 / (short * fit)).min(1.0);
    let tiles = (short * fit / 512.0).ceil() * (long * fit / 512.0).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 4 by 4 tiles")]
    let tiles = tiles as u64;
    85 + 170 * tiles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Analysis {
        Analysis { width, height, faces: Vec::new(), document: None }
    }

    #[test]
    fn image_tokens_match_the_vendors_documentation() {
        assert_eq!(image_tokens("gpt-6-luna", &picture(1600, 1100), "high"), 2641);
        assert_eq!(image_tokens("gpt-6-luna", &picture(320, 320), "high"), 172);
        assert_eq!(image_tokens("gpt-4o", &picture(1024, 1024), "high"), 765);
        assert_eq!(image_tokens("gpt-4o", &picture(2048, 4096), "high"), 1105);
        assert_eq!(image_tokens("gpt-4o", &picture(4096, 8192), "low"), 85);
    }
}
