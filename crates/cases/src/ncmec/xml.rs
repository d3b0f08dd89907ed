//! A document to be written. Texts are hostile: they are escaped, and what XML cannot hold is replaced.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

/// An element with a text, or with others in it.
pub(super) struct Element {
    name: &'static str,
    text: String,
    children: Vec<Element>,
}

impl Element {
    pub fn text(name: &'static str, text: &str) -> Self {
        // XML 1.0, production 2: these cannot even be written as references.
        let allowed = |letter: char| !matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        let text = text.chars().map(|letter| if allowed(letter) { letter } else { '\u{fffd}' }).collect();
        Self { name, text, children: Vec::new() }
    }

    pub fn group(name: &'static str, children: Vec<Element>) -> Self {
        Self { name, text: String::new(), children }
    }

    /// The whole document, in UTF-8.
    pub fn document(&self) -> String {
        let mut writer = Writer::new(Vec::new());
        let declaration = Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None));
        let written = writer.write_event(declaration).and_then(|()| self.write(&mut writer));
        written.expect("memory takes all that is written");
        String::from_utf8(writer.into_inner()).expect("names and texts are UTF-8")
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        writer.write_event(Event::Start(BytesStart::new(self.name)))?;
        writer.write_event(Event::Text(BytesText::new(&self.text)))?;
        self.children.iter().try_for_each(|child| child.write(writer))?;
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}
