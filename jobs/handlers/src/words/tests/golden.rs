//! Each kind of notice in each language, as it was read over. A difference is written beside the file, as `.new`.

use std::{fs, path::PathBuf};

use super::*;

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
