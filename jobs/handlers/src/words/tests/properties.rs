//! Whatever something is called, a notice is still a notice.

use html5gum::{Token, Tokenizer};
use proptest::prelude::*;

use super::*;
use crate::words::page::{Page, State};

/// The tags of a page, each with the names of its attributes; none where the page is not well formed.
fn tags(page: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    for Ok(token) in Tokenizer::new(page) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let attributes = tag.attributes.keys().map(|name| String::from_utf8_lossy(name).into_owned());
                tags.push(attributes.fold(name, |tag, attribute| tag + " " + &attribute));
            }
            Token::EndTag(tag) => tags.push(format!("/{}", String::from_utf8_lossy(&tag.name))),
            Token::Error(_) => return None,
            _ => {}
        }
    }
    Some(tags)
}

/// A notice in which everything that others may name is called so.
fn called(name: &str) -> (Facts, Enclosed) {
    let detail = format!("{name} 35.2 {name}, not {name}");
    let changes = vec![raised("r", &detail), raised("s", &format!("link lost: {name}")), raised("t", name)];
    let changes = changes.into_iter().map(|change| Change { by: Some(name.to_owned()), ..change }).collect();
    let part = Part { source: Source::Node(name.to_owned()), place: name.to_owned(), changes, became: None };
    let parts = vec![part.clone(), part];
    let before = vec![name.to_owned()];
    let (place, said) = (Some(name.to_owned()), name.to_owned());
    let instead = Some(Instead { user: place.clone(), channel: name.to_owned(), is_late: true, said });
    let (kind, count, since) = (Kind::Escalated, Some(1), Some(NINE));
    let facts = Facts { kind, parts, count, since, before, place, instead, ..Facts::default() };
    let mut enclosed = enclosed();
    enclosed.chart.as_mut().unwrap().what = name.to_owned();
    (facts, enclosed)
}

/// The page of a link whose user and whose notice are called so.
fn asking(name: &str, reader: &Reader) -> String {
    let (facts, action) = (called(name).0, Some(Action::Acknowledge));
    let page = Page {
        state: State::Confirm,
        action,
        user: Some(name),
        done: Some((name, name)),
        over: false,
        facts: Some(&facts),
        counted: None,
    };
    page.html(reader).unwrap()
}

/// The columns of the table in 3GPP TS 23.038, 6.2.1, without the escape.
const GSM: [&str; 8] = [
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
];

/// How many parts a text message has.
fn parts_of(sms: &str) -> usize {
    let places = sms.chars().map(|c| match c {
        c if GSM.iter().any(|column| column.contains(c)) => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    });
    match places.sum::<Option<usize>>() {
        Some(places) if places <= 160 => 1,
        Some(places) => places.div_ceil(153),
        None if sms.encode_utf16().count() <= 70 => 1,
        None => sms.encode_utf16().count().div_ceil(67),
    }
}

fn is_a_notice_still(name: &str, language: Language) {
    let reader = reader(language, "Asia/Shanghai");
    let words = |name: &str| {
        let (facts, enclosed) = called(name);
        compose(&facts, &reader, &enclosed)
    };
    let (plain, told) = (words("fan"), words(name));
    let is_line = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    assert!(is_line(&told.subject) && told.subject.chars().count() < 300, "{name:?}: {:?}", told.subject);
    assert_eq!(told.text.lines().count(), plain.text.lines().count(), "{name:?} adds a line: {}", told.text);
    let page = told.html.unwrap();
    assert_eq!(tags(&page), tags(&plain.html.unwrap()), "{name:?} changes the page: {page}");
    assert!(page.len() < 40_000, "{} bytes", page.len());
    assert_eq!(tags(&asking(name, &reader)), tags(&asking("fan", &reader)), "{name:?} changes the page that asks");
    assert!(parts_of(&told.sms) <= 2, "{name:?}: {:?}", told.sms);
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!(told.subject + &told.text + &page + &told.sms).contains(turns), "{name:?} turns text around");
}

#[test]
fn no_name_that_somebody_thought_of_breaks_a_notice() {
    let long = ["x", "<b>", "温", "&amp;", "😀", "\u{202e}", "\r\n", "{", "\""].map(|unit| unit.repeat(10_000));
    let names = [
        "<script>alert(1)</script>",
        "</title></style></body></html><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "' style='x",
        "a\r\nBcc: eve@example.net\r\n\r\nbody",
        "\u{202e}gnp.exe",
        "\u{2028}line\u{2029}paragraph\u{0}nul",
        "{{ notice.zone }}{% for a in b %}",
        "-->]]><!--",
        "a, limits 1 ~ 2 and b, at most 3",
        "",
        " ",
    ];
    for name in names.into_iter().chain(long.iter().map(String::as_str)) {
        for language in [Language::En, Language::Zh] {
            if !name.trim().is_empty() {
                is_a_notice_still(name, language);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_name_breaks_a_notice(name in "[^\\s,:~][\\PC\\r\\n<>\"'&\u{202e}]{0,200}", is_chinese: bool) {
        is_a_notice_still(&name, if is_chinese { Language::Zh } else { Language::En });
    }
}

#[test]
fn the_page_that_others_are_held_against_is_one() {
    let (facts, enclosed) = called("fan");
    let page = compose(&facts, &reader(Language::En, "UTC"), &enclosed).html.unwrap();
    let tags = tags(&page).expect("it is well formed");
    for tag in ["html lang", "img alt src style width", "a href style", "/html"] {
        assert!(tags.iter().any(|found| found == tag), "{tag} is not among {tags:?}");
    }
}
