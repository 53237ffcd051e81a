//! The templates, and what they are filled with.

use std::sync::LazyLock;

use domain::alarm::Sight;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde};
use records::locale::Language;

use super::{
    page::{PageView, STYLE},
    view::NoticeView,
};

/// Each template by its name: one whose name ends with `.html` escapes what it is filled with. So a language's phrases stand
/// here under two names.
const FILES: [(&str, &str); 13] = [
    ("en.txt", include_str!("templates/en.txt")),
    ("en.html", include_str!("templates/en.txt")),
    ("zh.txt", include_str!("templates/zh.txt")),
    ("zh.html", include_str!("templates/zh.txt")),
    ("subject.txt", "{% import lang ~ '.txt' as say %}{{ say.subject(notice) }}"),
    ("headline.txt", "{% import lang ~ '.txt' as say %}{{ say.headline(notice) }}"),
    ("short.txt", "{% import lang ~ '.txt' as say %}{{ say.short(notice) }}"),
    ("sights.txt", "{% import lang ~ '.txt' as say %}{{ say.sights(sights) }}"),
    ("letter.txt", include_str!("templates/letter.txt")),
    ("letter.html", include_str!("templates/letter.html")),
    ("page.en.html", include_str!("templates/page.en.txt")),
    ("page.zh.html", include_str!("templates/page.zh.txt")),
    ("page.html", include_str!("templates/page.html")),
];

static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    // A line that is only a tag is no line of the letter.
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.add_filter("span", span);
    for (name, text) in FILES {
        templates.add_template(name, text)?;
    }
    Ok(templates)
});

pub(super) fn subject(language: Language, notice: &NoticeView) -> Option<String> {
    filled("subject.txt", language, notice)
}

/// The subject without how bad it is, and what was seen.
pub(super) fn headline(language: Language, notice: &NoticeView) -> Option<String> {
    filled("headline.txt", language, notice)
}

/// What was seen, as short as can be.
pub(super) fn seen(language: Language, notice: &NoticeView) -> String {
    filled("short.txt", language, notice).unwrap_or_default().trim().to_owned()
}

pub(super) fn sights(language: Language, sights: &[Sight]) -> Option<String> {
    rendered("sights.txt", context! { lang => code(language), sights => Serde(sights) })
}

pub(super) fn text(language: Language, notice: &NoticeView) -> Option<String> {
    filled("letter.txt", language, notice)
}

pub(super) fn page(language: Language, notice: &NoticeView) -> Option<String> {
    filled("letter.html", language, notice)
}

pub(super) fn act(language: Language, page: &PageView, notice: Option<&NoticeView>) -> Option<String> {
    let style = Value::from_safe_string(STYLE.to_owned());
    rendered("page.html", context! { lang => code(language), page => Serde(page), notice => Serde(notice), style })
}

fn filled(name: &str, language: Language, notice: &NoticeView) -> Option<String> {
    rendered(name, context! { lang => code(language), notice => Serde(notice) })
}

/// A template that cannot be filled is our fault: the log says why, and the letter goes without it.
fn rendered(name: &str, with: Value) -> Option<String> {
    let fill = || TEMPLATES.as_ref().map_err(again)?.get_template(name)?.render(with);
    fill().inspect_err(|error| tracing::error!(template = name, %error, "a template cannot be filled")).ok()
}

fn again(error: &Error) -> Error {
    Error::new(ErrorKind::SyntaxError, error.to_string())
}

fn code(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh",
    }
}

/// A time in milliseconds as people of a language say it: its two greatest units.
fn span(millis: u64, language: &str) -> String {
    let units = match language {
        "zh" => [(86_400, " 天"), (3_600, " 小时"), (60, " 分钟"), (1, " 秒")],
        _ => [(86_400, " d"), (3_600, " h"), (60, " min"), (1, " s")],
    };
    let mut left = millis / 1000;
    let mut parts = Vec::new();
    for (seconds, name) in units {
        let whole = left / seconds;
        left %= seconds;
        if whole > 0 {
            parts.push(format!("{whole}{name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { format!("0{}", units[3].1) } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_two_greatest_units() {
        for (seconds, en, zh) in [
            (0, "0 s", "0 秒"),
            (59, "59 s", "59 秒"),
            (600, "10 min", "10 分钟"),
            (3_661, "1 h 1 min", "1 小时 1 分钟"),
            (3_601, "1 h", "1 小时"),
            (90_000, "1 d 1 h", "1 天 1 小时"),
        ] {
            assert_eq!((span(seconds * 1000, "en").as_str(), span(seconds * 1000, "zh").as_str()), (en, zh));
        }
    }

    #[test]
    fn every_template_can_be_read() {
        assert!(TEMPLATES.is_ok(), "{:?}", TEMPLATES.as_ref().err());
    }
}
