//! How a person is spoken to.

use serde::{Deserialize, Serialize};

/// A language that notices are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// How a person is spoken to; what they do not say is as the operator chose.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Locale {
    /// In which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// By the clocks of which IANA zone: `Asia/Shanghai`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Locale {
    /// The same, and as `other` where it says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { language: self.language.or(other.language), zone: self.zone.or(other.zone) }
    }
}
