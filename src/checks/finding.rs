//! Parts that the findings of several checks have in common.

use crate::checks::work::WorkOutcome;
use crate::providers::ProviderResponse;
use crate::verification::Provider;
use crate::verification::check::{ProviderTrace, Usage};
use crate::verification::{Finding, Judgement, Reason};

/// A finding made before a provider was paid.
pub(super) fn unpaid(reasons: Vec<Reason>, evidence: Vec<String>) -> WorkOutcome {
    WorkOutcome::finding(Finding {
        judgement: Judgement { reasons, ..Judgement::default() },
        evidence,
        ..Finding::default()
    })
}

/// The provenance of a finding that rests on one response.
pub(super) fn trace<T>(provider: Provider, response: &ProviderResponse<T>) -> ProviderTrace {
    ProviderTrace {
        name: provider.as_str().to_owned(),
        model: response.model.clone(),
        region: response.region.clone(),
        request_ids: response.request_ids.clone(),
    }
}

/// The cost of both together.
pub(super) fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        calls: a.calls + b.calls,
        input_tokens: a.input_tokens + b.input_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
    }
}
