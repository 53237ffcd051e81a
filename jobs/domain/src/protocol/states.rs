//! The words of a state.

use std::collections::BTreeMap;

use super::Fault;

/// Raw text to word, from a unit such as `{0:停止,1:运行}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States(BTreeMap<String, String>);

impl States {
    /// Reads a document's `unit`. A word may hold colons; the first one ends the key.
    pub(super) fn parse(unit: &str) -> Result<Self, Fault> {
        let words = (unit.trim().trim_start_matches('{').trim_end_matches('}').split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.split_once(':').map(|(key, word)| (key.trim().to_owned(), word.trim().to_owned())))
            .collect::<Option<BTreeMap<_, _>>>()
            .filter(|words| !words.is_empty());
        words.map(Self).ok_or_else(|| Fault::States(unit.chars().take(60).collect()))
    }

    /// The word for a raw text.
    pub(super) fn word(&self, raw: &str) -> Option<&str> {
        self.0.get(raw).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_words_are_read_with_or_without_braces() {
        for unit in ["{0:停止,1:运行}", "0:停止,1:运行", "{ 0 : 停止, 1 : 运行, }"] {
            let states = States::parse(unit).unwrap();
            assert_eq!(states.word("0"), Some("停止"));
            assert_eq!(states.word("1"), Some("运行"));
            assert_eq!(states.word("2"), None);
        }
    }

    #[test]
    fn a_word_keeps_its_colons() {
        assert_eq!(States::parse("{1:from 08:00}").unwrap().word("1"), Some("from 08:00"));
    }

    #[test]
    fn a_unit_without_words_is_refused() {
        for unit in ["", "{}", "℃", "{0:off,on}"] {
            assert_eq!(States::parse(unit), Err(Fault::States(unit.to_owned())));
        }
    }
}
