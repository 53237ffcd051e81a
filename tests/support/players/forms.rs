use serde::Deserialize;

/// What a mail says, in which forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct MailForms {
    /// The plain text.
    pub text: String,
    /// The page, if it has one.
    pub html: Option<String>,
    /// The types of its parts, in their order: what holds others comes before them.
    pub types: Vec<String>,
    /// What the page brings along.
    pub inline: Vec<MailInline>,
}

/// Something that a mail's page shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MailInline {
    /// What the page calls it.
    pub content_id: String,
    /// Its type.
    pub mime: String,
    /// `inline`, if it is to be shown in its place.
    pub disposition: Option<String>,
    /// It.
    pub bytes: Vec<u8>,
}
