//! How alike two names are: their words, with words of trade that mean the same.

use std::collections::BTreeSet;

use crate::authoring::words::{plain, words};

/// Words that mean the same in business systems; the first stands for all.
const SAME: &[&[&str]] = &[
    &["customer", "client", "debtor", "party", "member", "subscriber"],
    &["supplier", "vendor", "creditor"],
    &["item", "product", "article", "inventory", "material", "good"],
    &["project", "job", "assignment"],
    &["employee", "user", "staff", "worker", "person"],
    &["department", "unit", "branch", "division"],
    &["number", "nbr", "nr", "no", "code", "id", "cd", "sku", "ref"],
    &["email", "mail"],
    &["phone", "telephone", "tel"],
    &["mobile", "cell", "cellphone"],
    &["postal", "zip", "post"],
    &["web", "website", "homepage", "url"],
    &["vat", "tax"],
    &["active", "status", "state", "enabled"],
    &["currency", "cury"],
    &["price", "amount"],
    &["term", "day"],
    &["street", "addressline", "line"],
    &["name", "title", "description", "text", "designation"],
    &["begin", "start", "from"],
    &["end", "stop", "finish", "to"],
    &["note", "comment", "remark", "memo"],
    &["invoice", "billing", "bill"],
    &["delivery", "shipping", "ship"],
    &["visit", "visiting", "office"],
];

/// Words that say nothing.
const EMPTY: &[&str] =
    &["is", "the", "of", "main", "default", "list", "data", "value", "basic", "registration", "full"];

/// The words of a name that count, alike ones as one.
pub(super) fn meaning(name: &str) -> BTreeSet<String> {
    let all: Vec<String> = words(name)
        .into_iter()
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned())
        .filter(|word| !word.is_empty() && !EMPTY.contains(&word.as_str()))
        .map(|word| {
            let group = SAME.iter().find(|group| group.contains(&word.as_str()));
            group.map_or(word, |group| group[0].to_owned())
        })
        .collect();
    all.into_iter().collect()
}

/// How alike two names are, from 0 to 100.
pub(super) fn alike(one: &str, two: &str, without: &[&BTreeSet<String>]) -> u32 {
    if plain(one) == plain(two) {
        return 100;
    }
    let mut sets = [meaning(one), meaning(two)];
    // `customerName` of a customer is its name
    for set in &mut sets {
        for context in without {
            if set.len() > context.len() {
                set.retain(|word| !context.contains(word));
            }
        }
    }
    let [left, right] = sets;
    if left.is_empty() || right.is_empty() {
        return 0;
    }
    // how alike two names are: a score, never an amount
    let both = left.intersection(&right).count() as f64;
    let all = left.union(&right).count() as f64;
    let spelled = strsim::jaro_winkler(&plain(one), &plain(two));
    let shared = both / all;
    let score =
        if shared >= 1.0 { 0.93 } else { (0.85 * shared).max(if spelled > 0.93 { 0.8 } else { 0.0 }) };
    (score * 100.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_the_same() {
        let none: &[&BTreeSet<String>] = &[];
        assert_eq!(alike("name", "Name", none), 100);
        assert!(alike("client", "customer", none) > 90);
        assert!(alike("email", "mail", none) > 90);
        assert!(alike("postalCode", "zipCode", none) > 90);
        assert!(alike("startDate", "endDate", none) < 60);
        assert!(alike("customer", "supplier", none) < 60);
        let customer = meaning("customer");
        assert!(alike("customerName", "name", &[&customer]) > 90);
    }
}
