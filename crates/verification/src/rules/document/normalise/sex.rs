//! The sex that a document states, as one letter.

/// `M`, `F` or `X`, from a letter or word in the languages of documents. Both sides of a slash must
/// mean the same.
pub fn sex(text: &str) -> Option<char> {
    let plain = deunicode::deunicode(&text.replace('<', "X")).to_ascii_uppercase();
    let mut meanings =
        plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(|word| match word {
            "M" | "MALE" | "H" | "HOMME" | "MASCULIN" | "MASCULINO" | "MANN" | "MAN" | "MANNLICH" | "HOMBRE"
            | "VARON" | "MASC" => 'M',
            "F" | "FEMALE" | "FEMME" | "FEMININ" | "FEMENINO" | "FEMININO" | "W" | "WEIBLICH" | "K" | "KVINDE"
            | "KVINNA" | "V" | "VROUW" | "Z" | "ZH" | "MUJER" | "FEM" | "N" | "S" => 'F',
            "X" | "U" | "UNSPECIFIED" => 'X',
            _ => '?',
        });
    let first = meanings.next()?;
    // The first word is in the issuer's own language; its letter may mean the other sex elsewhere.
    // `M/F` lists both and says nothing.
    let consistent = meanings.all(|meaning| meaning == first || meaning == '?');
    (first != '?' && consistent).then_some(first)
}
