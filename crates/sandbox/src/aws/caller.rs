//! Who signed a request, and what they may do.

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use super::errors::AwsError;
use super::policy::Permissions;
use super::sigv4::Authorization;
use crate::operations::SimulatedProvider;
use crate::state::Sandbox;
use crate::wire::Call;

/// The identity that signed a request.
#[derive(Debug)]
pub struct Caller {
    /// The identity as error messages name it.
    pub arn: String,
    /// The region that the request was signed for.
    pub region: String,
    permissions: Permissions,
}

impl Caller {
    /// Identifies the caller by the signature: the account's own user, or the bearer of credentials
    /// that STS issued.
    pub fn identify(
        sandbox: &Sandbox,
        provider: SimulatedProvider,
        call: &Call,
        now: Timestamp,
    ) -> Result<Self, AwsError> {
        let authorization = Authorization::of(call)?;
        let service = service(provider);
        let unknown = || {
            AwsError::client("UnrecognizedClientException", "The security token included in the request is invalid.")
        };
        let token = call.header("x-amz-security-token");
        if authorization.access_key_id == sandbox.keys.aws_access_key_id {
            if token.is_some() {
                return Err(unknown());
            }
            authorization.verify(call, &sandbox.keys.aws_secret_access_key, service, now)?;
            let arn = "arn:aws:iam::000000000000:user/sandbox".to_owned();
            return Ok(Self { arn, region: authorization.region, permissions: Permissions::everything() });
        }
        let issued = sandbox.state().issued.find(&authorization.access_key_id).cloned().ok_or_else(unknown)?;
        if !token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(issued.session_token.as_bytes()))) {
            return Err(unknown());
        }
        authorization.verify(call, &issued.secret_access_key, service, now)?;
        if sandbox.now() >= issued.expires_at {
            let message = "The security token included in the request is expired";
            return Err(AwsError::client("ExpiredTokenException", message));
        }
        Ok(Self { arn: issued.arn, region: authorization.region, permissions: issued.permissions })
    }

    /// Refuses an operation that the caller's permissions do not allow.
    pub fn check_permission(&self, provider: SimulatedProvider, operation: &str) -> Result<(), AwsError> {
        let action = format!("{}:{operation}", service(provider));
        // AWS allows every caller this operation, whatever the policy says.
        if operation == "GetCallerIdentity" || self.permissions.allow(&action) {
            return Ok(());
        }
        Err(AwsError::client(
            "AccessDeniedException",
            format!("User: {} is not authorized to perform: {action}", self.arn),
        ))
    }
}

/// The provider's name in signatures and actions.
fn service(provider: SimulatedProvider) -> &'static str {
    if provider == SimulatedProvider::Sts { "sts" } else { "rekognition" }
}
