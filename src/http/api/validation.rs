//! Validates a JSON body field by field, so that one answer names every wrong value with its
//! pointer.

use serde_json::{Map, Value};

use super::problem::FieldError;

/// Rule for a text: its longest length, and a test with the message for a text that fails it.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Most characters that the text may have.
    pub max: usize,
    /// Test that the text must pass.
    pub test: fn(&str) -> bool,
    /// Message for a text that fails the test: "must be ...".
    pub says: &'static str,
}

impl Rule {
    /// Allows any text of at most `max` characters without control characters.
    pub const fn text(max: usize) -> Self {
        Self { max, test: is_plain, says: "must not contain control characters" }
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// An object inside the body, with its JSON pointer.
pub struct Object<'v> {
    map: &'v Map<String, Value>,
    pointer: String,
}

impl<'v> Object<'v> {
    /// Takes the body itself, which must be an object.
    pub fn body(value: &'v Value, errors: &mut Vec<FieldError>) -> Option<Self> {
        Self::of(value, String::new(), errors)
    }

    fn of(value: &'v Value, pointer: String, errors: &mut Vec<FieldError>) -> Option<Self> {
        if let Some(map) = value.as_object() {
            Some(Self { map, pointer })
        } else {
            errors.push(FieldError::at(pointer, "must be an object"));
            None
        }
    }

    /// JSON pointer of the member `name`.
    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Reports every member that is not among `names`: a misspelt name must not be ignored
    /// silently.
    pub fn only(&self, names: &[&str], errors: &mut Vec<FieldError>) {
        for name in self.map.keys().filter(|name| !names.contains(&name.as_str())).take(8) {
            let known = names.join(", ");
            // The name comes from the caller: shorten it, so that the answer stays small.
            let name: String = name.chars().take(64).collect();
            errors.push(FieldError::at(self.pointer(&name), format!("is not a known field; known fields are {known}")));
        }
    }

    /// Returns the member `name`; null counts as absent.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Returns the object `name`, if it is present.
    pub fn object(&self, name: &str, errors: &mut Vec<FieldError>) -> Option<Object<'v>> {
        Self::of(self.get(name)?, self.pointer(name), errors)
    }

    /// Returns the text `name` if it is present, not empty, and passes `rule`.
    pub fn text(&self, name: &str, rule: Rule, errors: &mut Vec<FieldError>) -> Option<&'v str> {
        let value = self.get(name)?;
        let pointer = self.pointer(name);
        let Some(text) = value.as_str() else {
            errors.push(FieldError::at(pointer, "must be a string"));
            return None;
        };
        match check(text, rule) {
            Ok(text) => text,
            Err(detail) => {
                errors.push(FieldError::at(pointer, detail));
                None
            }
        }
    }

    /// Checks that the text `name`, if it is present, is one of `choices`.
    pub fn choice(&self, name: &str, choices: &[&str], errors: &mut Vec<FieldError>) {
        if self.get(name).is_some_and(|value| !value.as_str().is_some_and(|text| choices.contains(&text))) {
            errors.push(FieldError::at(self.pointer(name), format!("must be one of {}", choices.join(", "))));
        }
    }

    /// Returns the text `name`, which is required.
    pub fn required(&self, name: &str, rule: Rule, errors: &mut Vec<FieldError>) -> Option<&'v str> {
        let before = errors.len();
        let text = self.text(name, rule, errors);
        if text.is_none() && errors.len() == before {
            errors.push(FieldError::at(self.pointer(name), "is required"));
        }
        text
    }
}

/// Checks `text` against `rule`. An empty text counts as absent.
pub fn check(text: &str, rule: Rule) -> Result<Option<&str>, String> {
    if text.is_empty() {
        Ok(None)
    } else if text.chars().nth(rule.max).is_some() {
        Err(format!("must have at most {} characters", rule.max))
    } else if (rule.test)(text) {
        Ok(Some(text))
    } else {
        Err(rule.says.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_value_is_named_once() {
        let body = json!({ "a": 1, "b": "toolong", "inner": { "x~/y": true }, "n": null, "extra": 0 });
        let mut errors = Vec::new();
        let root = Object::body(&body, &mut errors).expect("object");
        root.only(&["a", "b", "inner", "n", "must"], &mut errors);
        assert_eq!(root.text("a", Rule::text(5), &mut errors), None);
        assert_eq!(root.text("b", Rule::text(5), &mut errors), None);
        assert_eq!(root.text("n", Rule::text(5), &mut errors), None);
        assert_eq!(root.required("must", Rule::text(5), &mut errors), None);
        let inner = root.object("inner", &mut errors).expect("object");
        inner.only(&[], &mut errors);
        let pointers: Vec<_> = errors.iter().map(|e| e.pointer.as_deref().expect("in the body")).collect();
        assert_eq!(pointers, ["/extra", "/a", "/b", "/must", "/inner/x~0~1y"]);
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(check("äöü", Rule::text(3)), Ok(Some("äöü")));
        assert!(check("äöüx", Rule::text(3)).is_err());
        assert!(check("a\u{7}b", Rule::text(9)).is_err());
        assert_eq!(check("", Rule::text(3)), Ok(None));
    }
}
