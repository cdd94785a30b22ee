//! Verifies AWS Signature Version 4 by computing it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::errors::AwsError;
use crate::seed::sha256_hex;
use crate::wire::Call;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the clock of a request may differ.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// The parts of an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub access_key_id: String,
    /// `YYYYMMDD`, as in the credential scope.
    pub date: String,
    pub region: String,
    pub service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Parses the `Authorization` header.
    pub fn of(call: &Call) -> Result<Self, AwsError> {
        let header = call
            .header("authorization")
            .ok_or_else(|| AwsError::client("MissingAuthenticationTokenException", "Missing Authentication Token"))?;
        Self::parse(header).ok_or_else(|| {
            AwsError::client(
                "IncompleteSignatureException",
                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters of algorithm AWS4-HMAC-SHA256.",
            )
        })
    }

    fn parse(header: &str) -> Option<Self> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in header.strip_prefix(ALGORITHM)?.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let scope: Vec<_> = credential?.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = scope[..] else { return None };
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: signed_headers?.split(';').map(str::to_owned).collect(),
            signature: signature?.to_owned(),
        })
    }

    /// Refuses the request unless it was signed with `secret`, for `service`, within [`SKEW_MAX`]
    /// of `now`.
    pub fn verify(&self, call: &Call, secret: &str, service: &str, now: Timestamp) -> Result<(), AwsError> {
        let at = call.header("x-amz-date").ok_or_else(|| {
            AwsError::client(
                "IncompleteSignatureException",
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            )
        })?;
        self.check_scope(at, service)?;
        check_skew(at, now)?;
        for name in ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            if call.headers.contains_key(name) && !self.signed_headers.iter().any(|signed| signed == name) {
                return Err(invalid(&format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
            }
        }
        let expected = self.signature_for(call, secret, at);
        if bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            return Ok(());
        }
        Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ))
    }

    fn check_scope(&self, at: &str, service: &str) -> Result<(), AwsError> {
        if self.service != service {
            return Err(invalid(&format!("Credential should be scoped to correct service: '{service}'.")));
        }
        if !at.starts_with(&self.date) {
            return Err(invalid(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{at}'.",
                self.date
            )));
        }
        Ok(())
    }

    fn signature_for(&self, call: &Call, secret: &str, at: &str) -> String {
        let request = sha256_hex(self.canonical_request(call).as_bytes());
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), &self.date);
        for part in [self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = hmac(&key, part);
        }
        hex::encode(hmac(&key, &format!("{ALGORITHM}\n{at}\n{scope}\n{request}")))
    }

    fn canonical_request(&self, call: &Call) -> String {
        let mut headers = String::new();
        for name in &self.signed_headers {
            headers.extend([name, ":", &canonical_value(call, name), "\n"]);
        }
        let mut query: Vec<_> = call
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        query.sort();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            call.method,
            call.path,
            query.join("&"),
            self.signed_headers.join(";"),
            sha256_hex(&call.body)
        )
    }
}

fn canonical_value(call: &Call, name: &str) -> String {
    let values = call.headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

fn check_skew(at: &str, now: Timestamp) -> Result<(), AwsError> {
    let shown = |instant: Timestamp| instant.strftime("%Y%m%dT%H%M%SZ").to_string();
    let signed: Timestamp = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", at)
        .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|_| AwsError::client("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'."))?
        .timestamp();
    let age = now.duration_since(signed);
    if age > SKEW_MAX {
        let limit = now - SKEW_MAX;
        return Err(invalid(&format!(
            "Signature expired: {at} is now earlier than {} ({} - 5 min.)",
            shown(limit),
            shown(now)
        )));
    }
    if -age > SKEW_MAX {
        let limit = now + SKEW_MAX;
        return Err(invalid(&format!(
            "Signature not yet current: {at} is still later than {} ({} + 5 min.)",
            shown(limit),
            shown(now)
        )));
    }
    Ok(())
}

fn invalid(message: &str) -> AwsError {
    AwsError::client("InvalidSignatureException", message)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn call(method: Method, query: &str, body: &'static str, signed: &str, signature: &str) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
        headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let value = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
        );
        headers.insert("authorization", HeaderValue::from_str(&value).expect("a header"));
        Call {
            method,
            path: "/".to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn verify(call: &Call, secret: &str, now: &str) -> Result<(), String> {
        let authorization = Authorization::of(call).map_err(|error| error.code)?;
        let now = now.parse().expect("an instant");
        authorization.verify(call, secret, "service", now).map_err(|error| error.message)
    }

    /// The cases of the published "aws-sig-v4-test-suite".
    #[test]
    fn the_published_vectors_verify() {
        let cases = [
            call(
                Method::GET,
                "",
                "",
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            call(
                Method::POST,
                "",
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            call(
                Method::GET,
                "Param2=value2&Param1=value1",
                "",
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            call(
                Method::POST,
                "",
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for case in &cases {
            assert_eq!(verify(case, SECRET, "2015-08-30T12:36:00Z"), Ok(()));
            assert!(verify(case, "another secret", "2015-08-30T12:36:00Z").is_err());
        }
    }

    #[test]
    fn a_changed_request_does_not_verify() {
        let mut case = call(
            Method::POST,
            "",
            "Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
        case.body = Bytes::from_static(b"Param1=value2");
        assert!(
            verify(&case, SECRET, "2015-08-30T12:36:00Z").expect_err("refused").starts_with("The request signature")
        );
    }

    #[test]
    fn a_clock_may_be_off_by_five_minutes_either_way() {
        let case = call(
            Method::GET,
            "",
            "",
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        );
        assert_eq!(verify(&case, SECRET, "2015-08-30T12:41:00Z"), Ok(()));
        let late = verify(&case, SECRET, "2015-08-30T12:41:01Z").expect_err("refused");
        assert_eq!(
            late,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
        );
        let early = verify(&case, SECRET, "2015-08-30T12:30:59Z").expect_err("refused");
        assert!(early.starts_with("Signature not yet current"), "{early}");
    }

    #[test]
    fn a_security_token_must_be_signed() {
        let mut case = call(
            Method::GET,
            "",
            "",
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        );
        case.headers.insert("x-amz-security-token", HeaderValue::from_static("slipped in"));
        assert!(verify(&case, SECRET, "2015-08-30T12:36:00Z").is_err());
    }

    #[test]
    fn a_missing_and_an_incomplete_header_have_different_errors() {
        let mut case = call(Method::GET, "", "", "host", "00");
        case.headers.insert("authorization", HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=A/B"));
        assert_eq!(verify(&case, SECRET, "2015-08-30T12:36:00Z"), Err("IncompleteSignatureException".to_owned()));
        case.headers.remove("authorization");
        assert_eq!(
            verify(&case, SECRET, "2015-08-30T12:36:00Z"),
            Err("MissingAuthenticationTokenException".to_owned())
        );
    }
}
