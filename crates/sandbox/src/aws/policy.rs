//! What a caller may do: the role's own permissions, narrowed by the policy of the session.

use serde_json::Value;

/// Longest session policy that STS accepts.
pub const POLICY_CHARACTERS_MAX: usize = 2048;

/// Permissions of a caller. Resources are ignored: the four operations have none.
#[derive(Debug, Clone)]
pub struct Permissions {
    role: &'static [&'static str],
    session: Option<Vec<Statement>>,
}

#[derive(Debug, Clone)]
struct Statement {
    allow: bool,
    actions: Vec<String>,
}

impl Permissions {
    /// The permissions of the account's own user.
    pub fn everything() -> Self {
        Self::of_role(&["*"])
    }

    /// The permissions of a role.
    pub fn of_role(actions: &'static [&'static str]) -> Self {
        Self { role: actions, session: None }
    }

    /// The permissions narrowed by a session policy; `None` if the text is not a policy.
    pub fn narrowed_by(mut self, policy: &str) -> Option<Self> {
        let policy: Value = serde_json::from_str(policy).ok()?;
        let statements = one_or_many(policy.get("Statement")?);
        self.session = Some(statements.into_iter().map(Statement::parse).collect::<Option<_>>()?);
        Some(self)
    }

    /// Whether an action such as `rekognition:DetectFaces` is allowed.
    pub fn allow(&self, action: &str) -> bool {
        let by_role = self.role.iter().any(|pattern| matches(pattern, action));
        by_role
            && self.session.as_ref().is_none_or(|statements| {
                let matched = |allow| {
                    statements
                        .iter()
                        .any(|one| one.allow == allow && one.actions.iter().any(|pattern| matches(pattern, action)))
                };
                matched(true) && !matched(false)
            })
    }
}

impl Statement {
    fn parse(statement: &Value) -> Option<Self> {
        let allow = match statement.get("Effect")?.as_str()? {
            "Allow" => true,
            "Deny" => false,
            _ => return None,
        };
        statement.get("Resource")?;
        let actions = one_or_many(statement.get("Action")?);
        Some(Self {
            allow,
            actions: actions.into_iter().map(|action| action.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        })
    }
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect())
}

/// Compares actions without case; a final `*` in the pattern matches any ending.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    pattern.strip_suffix('*').map_or(pattern == action, |start| action.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:StartFaceLivenessSession","Resource":"*"}]}"#;

    #[test]
    fn a_session_policy_narrows_and_never_widens() {
        let server = Permissions::of_role(&["rekognition:*"]);
        assert!(server.allow("rekognition:DetectFaces"));
        let narrowed = server.narrowed_by(START_ONLY).expect("a policy");
        assert!(narrowed.allow("rekognition:StartFaceLivenessSession"));
        assert!(!narrowed.allow("rekognition:DetectFaces"));
        let wide = r#"{"Statement":{"Effect":"Allow","Action":["*"],"Resource":"*"}}"#;
        let browser =
            Permissions::of_role(&["rekognition:StartFaceLivenessSession"]).narrowed_by(wide).expect("a policy");
        assert!(!browser.allow("rekognition:DetectFaces"));
    }

    #[test]
    fn deny_wins() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"rekognition:Compare*","Resource":"*"}]}"#;
        let permissions = Permissions::everything().narrowed_by(policy).expect("a policy");
        assert!(permissions.allow("rekognition:DetectFaces"));
        assert!(!permissions.allow("rekognition:CompareFaces"));
    }

    #[test]
    fn a_text_that_is_not_a_policy_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#,
        ] {
            assert!(Permissions::everything().narrowed_by(text).is_none(), "{text}");
        }
    }
}
