//! What `docs/DEPLOY.md` tells people to choose and to look for is in the template.

use std::collections::BTreeSet;

use super::stack::section;
use crate::sources::read;

/// Words before a `=` that are AWS's own.
const AWS_OWN: [&str; 8] =
    ["AttributeName", "AttributeType", "DefaultSMSType", "Enabled", "KeyType", "MonthlySpendLimit", "Name", "Values"];

#[test]
fn every_parameter_that_the_docs_set_is_one() {
    let docs = read("docs/DEPLOY.md");
    let set: BTreeSet<&str> = docs.match_indices('=').filter_map(|(at, _)| name_at_the_end_of(&docs[..at])).collect();
    let set: Vec<&str> = set.into_iter().filter(|name| !AWS_OWN.contains(name)).collect();
    assert!(set.len() > 10, "{set:?}");
    for name in set {
        assert!(section("Parameters").contains_key(name), "docs/DEPLOY.md sets {name}");
    }
}

#[test]
fn every_output_that_the_docs_name_is_one() {
    let docs = read("docs/DEPLOY.md");
    let outputs = section("Outputs");
    let named: Vec<&String> = outputs.keys().filter(|name| docs.contains(&format!("`{name}`"))).collect();
    assert!(named.len() > 5, "{named:?}");
    // In commands they stand as <TableName>. An <ARN> or an address is the reader's own.
    for place in docs.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(place, _)| place) {
        assert!(place == "ARN" || place.contains('@') || outputs.contains_key(place), "docs/DEPLOY.md names {place}");
    }
}

/// The name that a text ends with, if that is one as parameters have: `VpcId`.
fn name_at_the_end_of(text: &str) -> Option<&str> {
    let begins = text.rfind(|letter: char| !letter.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
    let name = &text[begins..];
    let is_name = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains(|letter: char| letter.is_lowercase());
    is_name.then_some(name)
}
