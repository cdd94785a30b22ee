//! STS: `AssumeRole` and `GetCallerIdentity` in the Query protocol.

use http::StatusCode;
use jiff::SignedDuration;

use super::caller::Caller;
use super::errors::{AwsError, escape};
use super::issued::Credentials;
use super::policy::{POLICY_CHARACTERS_MAX, Permissions};
use crate::seed::{ALPHANUMERIC, KEY_ID};
use crate::state::Sandbox;
use crate::wire::{Call, Reply};

const DURATION_SECONDS_MIN: i64 = 900;
const DURATION_SECONDS_MAX: i64 = 43_200;
/// `MaxSessionDuration` of a role, at its default.
const ROLE_SECONDS_MAX: i64 = 3600;
/// A parameter of a Query request, from its body or its query.
pub fn parameter(call: &Call, name: &str) -> Option<String> {
    let in_body =
        url::form_urlencoded::parse(&call.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    in_body.or_else(|| call.query_value(name))
}

/// Answers a request whose caller is known.
pub fn answer(
    sandbox: &Sandbox,
    operation: &str,
    call: &Call,
    caller: &Caller,
    request_id: &str,
) -> Result<Reply, AwsError> {
    let result = match operation {
        "AssumeRole" => assume_role(sandbox, call)?,
        "GetCallerIdentity" => {
            let arn = escape(&caller.arn);
            format!("<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>000000000000</Account>")
        }
        other => {
            return Err(AwsError::client(
                "InvalidAction",
                format!("Could not find operation {other} for version 2011-06-15"),
            ));
        }
    };
    let body = format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    );
    Ok(Reply::new(StatusCode::OK, "text/xml", body))
}

fn assume_role(sandbox: &Sandbox, call: &Call) -> Result<String, AwsError> {
    let role_arn = required(call, "RoleArn", "roleArn")?;
    let session_name = required(call, "RoleSessionName", "roleSessionName")?;
    check_session_name(&session_name)?;
    let seconds = duration(call)?;
    let permissions = permissions_of(sandbox, &role_arn)?;
    let permissions = match parameter(call, "Policy") {
        Some(policy) => narrowed(permissions, &policy)?,
        None => permissions,
    };
    let number = sandbox.next_request();
    let access_key_id = format!("ASIA{}", sandbox.seed.word(KEY_ID, 16, "access key", number));
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    let now = sandbox.now();
    let credentials = Credentials {
        secret_access_key: long_word(sandbox, "secret key", number, 40),
        session_token: long_word(sandbox, "session token", number, 356),
        expires_at: now + SignedDuration::from_secs(seconds),
        arn: format!("arn:aws:sts::000000000000:assumed-role/{role}/{session_name}"),
        permissions,
    };
    let expiration = credentials.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let result = format!(
        "<AssumedRoleUser><AssumedRoleId>AROASANDBOX000000001:{session_name}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{access_key_id}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{expiration}</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize>",
        escape(&credentials.arn),
        credentials.secret_access_key,
        credentials.session_token
    );
    sandbox.state().issued.insert(access_key_id, credentials, now);
    Ok(result)
}

fn required(call: &Call, name: &str, field: &str) -> Result<String, AwsError> {
    parameter(call, name).ok_or_else(|| AwsError::validation("null", field, "Member must not be null"))
}

fn check_session_name(name: &str) -> Result<(), AwsError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(AwsError::validation(
        name,
        "roleSessionName",
        "Member must satisfy regular expression pattern: [\\w+=,.@-]* and have length between 2 and 64",
    ))
}

fn duration(call: &Call) -> Result<i64, AwsError> {
    let Some(text) = parameter(call, "DurationSeconds") else { return Ok(ROLE_SECONDS_MAX) };
    let seconds: i64 =
        text.parse().map_err(|_| AwsError::client("MalformedInput", "DurationSeconds is not a number"))?;
    if seconds < DURATION_SECONDS_MIN {
        return Err(AwsError::validation(
            &text,
            "durationSeconds",
            "Member must have value greater than or equal to 900",
        ));
    }
    if seconds > DURATION_SECONDS_MAX {
        return Err(AwsError::validation(
            &text,
            "durationSeconds",
            "Member must have value less than or equal to 43200",
        ));
    }
    if seconds > ROLE_SECONDS_MAX {
        return Err(AwsError::client(
            "ValidationException",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(seconds)
}

fn permissions_of(sandbox: &Sandbox, role_arn: &str) -> Result<Permissions, AwsError> {
    if role_arn == sandbox.keys.browser_role_arn {
        return Ok(Permissions::of_role(&["rekognition:StartFaceLivenessSession"]));
    }
    if role_arn == sandbox.keys.server_role_arn {
        return Ok(Permissions::of_role(&["rekognition:*", "sts:AssumeRole"]));
    }
    Err(AwsError::client(
        "AccessDeniedException",
        format!(
            "User: arn:aws:iam::000000000000:user/sandbox is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        ),
    ))
}

fn narrowed(permissions: Permissions, policy: &str) -> Result<Permissions, AwsError> {
    if policy.chars().count() > POLICY_CHARACTERS_MAX {
        return Err(AwsError::validation("(policy)", "policy", "Member must have length less than or equal to 2048"));
    }
    permissions.narrowed_by(policy).ok_or_else(|| {
        AwsError::client(
            "MalformedPolicyDocument",
            "This policy contains invalid Json or a statement without Effect, Action or Resource",
        )
    })
}

fn long_word(sandbox: &Sandbox, label: &str, number: u64, length: usize) -> String {
    let parts =
        (0..length.div_ceil(32)).map(|part| sandbox.seed.word(ALPHANUMERIC, 32, &format!("{label} {part}"), number));
    let mut word: String = parts.collect();
    word.truncate(length);
    word
}
