//! Names as words: `customerNumbers` and `Customer_number` say the same.

/// The words of a name, in lower case and singular.
pub(crate) fn words(name: &str) -> Vec<String> {
    split(name).iter().map(|word| singular(word)).collect()
}

/// The words of a name, in lower case.
fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    let chars: Vec<char> = name.chars().collect();
    for (i, c) in chars.iter().copied().enumerate() {
        let next_is_lower = chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if !c.is_alphanumeric() {
            before = ' ';
            continue;
        }
        // `VATNumber` is `vat` and `number`
        let begins = before == ' ' || (c.is_uppercase() && (before.is_lowercase() || next_is_lower));
        if begins && !(before.is_uppercase() && c.is_uppercase() && !next_is_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// A word of the English plural as its singular.
pub(crate) fn singular(word: &str) -> String {
    let cut = |n: usize| word[..word.len() - n].to_owned();
    if word.len() < 4 || !word.is_ascii() {
        return word.to_owned();
    }
    match word {
        "people" => "person".to_owned(),
        _ if word.ends_with("ies") => format!("{}y", cut(3)),
        _ if ["sses", "xes", "ches", "shes", "uses"].iter().any(|end| word.ends_with(end)) => cut(2),
        _ if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) => word.to_owned(),
        _ if word.ends_with('s') => cut(1),
        _ => word.to_owned(),
    }
}

/// A name as one word: letters and digits in lower case.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A kind of record as the files name it: `customer_number`.
pub(crate) fn snake(name: &str) -> String {
    identifier(&words(name))
}

/// A name as the files write names, its words as they are: `customer_numbers`.
pub(crate) fn snake_as_is(name: &str) -> String {
    identifier(&split(name))
}

fn identifier(words: &[String]) -> String {
    let mut all = words.join("_");
    all.retain(|c| c.is_ascii_alphanumeric() || c == '_');
    if all.is_empty() || all.starts_with(|c: char| c.is_ascii_digit()) {
        all.insert(0, '_');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        assert_eq!(words("customerNumbers"), ["customer", "number"]);
        assert_eq!(words("VATNumber"), ["vat", "number"]);
        assert_eq!(words("customerID"), ["customer", "id"]);
        assert_eq!(words("sales_order-lines"), ["sale", "order", "line"]);
        assert_eq!(snake("KitSpecifications"), "kit_specification");
        assert_eq!(snake("2nd"), "_2nd");
        assert_eq!(snake_as_is("People & projects"), "people_projects");
    }

    #[test]
    fn plurals_of_business_words() {
        for (many, one) in [
            ("addresses", "address"),
            ("categories", "category"),
            ("statuses", "status"),
            ("branches", "branch"),
            ("cases", "case"),
            ("status", "status"),
            ("people", "person"),
            ("taxes", "tax"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
