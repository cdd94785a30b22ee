//! The declaration of a variable.

/// A variable as people see it.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Name in the environment; the file has the same name in lower case.
    pub name: &'static str,
    /// The value of a variable that is not set; `None` if it must be set.
    pub default: Option<&'static str>,
    /// One sentence for an operator, with the unit.
    pub help: &'static str,
}

/// A variable and the parser of its values.
pub struct Setting<T> {
    pub variable: Variable,
    pub parse: fn(&str) -> Parsed<T>,
}

/// A value, or what is wrong with the text. Each problem continues a sentence that starts with the
/// variable's name.
pub type Parsed<T> = Result<T, Vec<String>>;

/// A variable that must be set.
pub const fn required<T>(name: &'static str, help: &'static str, parse: fn(&str) -> Parsed<T>) -> Setting<T> {
    Setting { variable: Variable { name, default: None, help }, parse }
}

/// A variable with a default. An empty default means that the parser sees an empty text.
pub const fn optional<T>(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    parse: fn(&str) -> Parsed<T>,
) -> Setting<T> {
    Setting { variable: Variable { name, default: Some(default), help }, parse }
}
