//! Reading a JSON body field by field, so that the caller learns of every wrong value at once, with its pointer.

use serde_json::{Map, Value};

use super::problem::FieldError;

/// What a text must look like: a limit in characters and, beyond it, a test with the words for failing it.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Most characters.
    pub max: usize,
    /// What else must hold.
    pub test: fn(&str) -> bool,
    /// What is said when it does not: "must be ...".
    pub says: &'static str,
}

impl Rule {
    /// Any text of at most `max` characters without control characters.
    pub const fn text(max: usize) -> Self {
        Self { max, test: is_plain, says: "must not contain control characters" }
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// An object inside the body and where it stands.
pub struct Object<'v> {
    map: &'v Map<String, Value>,
    pointer: String,
}

impl<'v> Object<'v> {
    /// The body itself, which must be an object.
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

    /// Where the member `name` stands.
    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Complains about every member that is not among `names`: a misspelt name must not be lost in silence.
    pub fn only(&self, names: &[&str], errors: &mut Vec<FieldError>) {
        for name in self.map.keys().filter(|name| !names.contains(&name.as_str())).take(8) {
            let known = names.join(", ");
            // The name is the caller's own text: shortened, so that an answer stays small.
            let name: String = name.chars().take(64).collect();
            errors.push(FieldError::at(self.pointer(&name), format!("is not known here; known are {known}")));
        }
    }

    /// The member `name`; null counts as absent.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// The object `name`, if it is there.
    pub fn object(&self, name: &str, errors: &mut Vec<FieldError>) -> Option<Object<'v>> {
        Self::of(self.get(name)?, self.pointer(name), errors)
    }

    /// The text `name`, if it is there and not empty.
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

    /// The text `name`, one of `choices`, if it is there.
    pub fn choice(&self, name: &str, choices: &[&str], errors: &mut Vec<FieldError>) {
        if self.get(name).is_some_and(|value| !value.as_str().is_some_and(|text| choices.contains(&text))) {
            errors.push(FieldError::at(self.pointer(name), format!("must be one of {}", choices.join(", "))));
        }
    }

    /// The text `name`, which must be there.
    pub fn required(&self, name: &str, rule: Rule, errors: &mut Vec<FieldError>) -> Option<&'v str> {
        let before = errors.len();
        let text = self.text(name, rule, errors);
        if text.is_none() && errors.len() == before {
            errors.push(FieldError::at(self.pointer(name), "is required"));
        }
        text
    }
}

/// `text` under `rule`; an empty text is an absent one.
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
