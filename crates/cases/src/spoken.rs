//! What is shown of a message.

use zegel_content::{Content, Event, Shown};

/// The text, or what kind of message it is.
pub fn in_words(content: &Content) -> String {
    match content.body() {
        Shown::Text(text) => text.to_owned(),
        Shown::Event(Event::Leave) => "(leaves the conversation)".into(),
        Shown::Event(Event::Accept) => "(accepts the request)".into(),
        Shown::Tokens(_) => "(gives tickets to come to them)".into(),
        Shown::Guardian(_) => "(what a child's and a guardian's apps tell each other)".into(),
        Shown::Unsupported { content_type: "" } => "(deletes a message)".into(),
        Shown::Unsupported { content_type } => format!("(a message of type {content_type})"),
    }
}
