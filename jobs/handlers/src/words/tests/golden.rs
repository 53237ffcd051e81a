//! Each kind of notice in each language, as it was read over. A difference is written beside the file, as `.new`.

use std::{fs, path::PathBuf};

use super::*;
use crate::words::page::{Counted, Page, State};

#[test]
fn every_kind_of_notice_reads_in_each_language_as_it_was_read_over() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/words/golden");
    let mut others = Vec::new();
    for (name, facts, enclosed) in each_kind() {
        for (code, language) in [("en", Language::En), ("zh", Language::Zh)] {
            let Words { subject, text, html, sms } = compose(&facts, &reader(language, "Asia/Shanghai"), &enclosed);
            let told = format!("== subject\n{subject}\n== sms\n{sms}\n== text\n{text}== html\n{}", html.unwrap());
            let file = folder.join(format!("{name}.{code}.txt"));
            if fs::read_to_string(&file).ok().as_ref() != Some(&told) {
                let new = file.with_extension("new");
                fs::write(&new, told).unwrap();
                others.push(new);
            }
        }
    }
    assert!(others.is_empty(), "read these over, and put them in place of what is there: {others:#?}");
}

#[test]
fn every_page_reads_in_each_language_as_it_was_read_over() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/words/golden");
    let facts = of_sensor(vec![hot()]);
    let states = [
        State::Confirm,
        State::Partly,
        State::Done,
        State::Taken,
        State::Over,
        State::Used,
        State::Expired,
        State::Wrong,
        State::Refused,
        State::Busy,
        State::TooMany,
        State::Away,
    ];
    let mut others = Vec::new();
    for (code, language) in [("en", Language::En), ("zh", Language::Zh)] {
        let reader = reader(language, "Asia/Shanghai");
        let body = |name: String, page: Page<'_>| {
            let html = page.html(&reader).unwrap();
            format!("== {name}{}", html.split_once("<body>").unwrap().1)
        };
        let each = states.map(|state| {
            let is_about = matches!(state, State::Confirm | State::Partly | State::Done | State::Taken | State::Over);
            let (action, user) = (Some(Action::Acknowledge), is_about.then_some("Ann"));
            let done = Some(("root", "2026-11-23 17:01:06"));
            let counted = (state == State::Partly).then_some(Counted { of: 4321, left: 3321 });
            let facts = is_about.then_some(&facts);
            body(format!("{state:?}"), Page { state, action, user, done, over: state == State::Over, facts, counted })
        });
        let others_asked = [Action::SnoozeHour, Action::SnoozeShift, Action::Silence].map(|action| {
            let page = Page { action: Some(action), facts: Some(&facts), ..Page::only(State::Confirm) };
            body(format!("{action:?}"), page)
        });
        let of_many = [State::Confirm, State::Done].map(|state| {
            let counted = Some(Counted { of: 4321, left: 4300 });
            let page = Page { action: Some(Action::Acknowledge), facts: Some(&facts), counted, ..Page::only(state) };
            body(format!("{state:?} of many"), page)
        });
        let of_over = [Action::SnoozeHour, Action::Silence].map(|action| {
            let page = Page { action: Some(action), facts: Some(&facts), over: true, ..Page::only(State::Confirm) };
            body(format!("{action:?} of what is over"), page)
        });
        let told = each.into_iter().chain(others_asked).chain(of_many).chain(of_over).collect::<String>();
        let file = folder.join(format!("pages.{code}.txt"));
        if fs::read_to_string(&file).ok().as_ref() != Some(&told) {
            let new = file.with_extension("new");
            fs::write(&new, told).unwrap();
            others.push(new);
        }
    }
    assert!(others.is_empty(), "read these over, and put them in place of what is there: {others:#?}");
}
