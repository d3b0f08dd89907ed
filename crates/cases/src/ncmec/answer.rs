//! What the authority answers.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

use super::NcmecError;

/// The most bytes of an answer.
const MAX_ANSWER: usize = 1 << 20;
/// The most characters of a reason that are passed on.
const MAX_REASON: usize = 500;

/// An answer: `reportResponse` to `submit`, `upload` and `fileinfo`, `reportDoneResponse` to `finish`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the report is called there.
    pub report_id: Option<String>,
    /// What the uploaded file is called there; of a finished report, the first one's.
    pub file_id: Option<String>,
    /// The uploaded file's hash, as the authority computed it (MD5, hexadecimal).
    pub hash: Option<String>,
}

impl Answer {
    /// Reads an answer that says yes.
    ///
    /// # Errors
    /// If it says no, or is no answer.
    pub fn read(bytes: &[u8]) -> Result<Self, NcmecError> {
        let wrong = |why: &str| NcmecError::Answer(why.to_owned());
        if bytes.len() > MAX_ANSWER {
            return Err(wrong("it is too long"));
        }
        let mut answer = Self::default();
        let mut code = None;
        let mut description = String::new();
        for (path, text) in leaves(&String::from_utf8_lossy(bytes))? {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let [root @ ("reportResponse" | "reportDoneResponse"), path @ ..] = &path[..] else {
                return Err(wrong("it is no answer to a report"));
            };
            match (*root, path) {
                (_, ["responseCode"]) => code = text.trim().parse::<i64>().ok(),
                (_, ["responseDescription"]) => description = text.trim().chars().take(MAX_REASON).collect(),
                (_, ["reportId"]) => answer.report_id = id(&text),
                (_, ["fileId"] | ["files", "fileId"]) if answer.file_id.is_none() => {
                    answer.file_id = id(&text)
                }
                (_, ["hash"]) => answer.hash = id(&text),
                _ => {}
            }
        }
        match code {
            Some(0) => Ok(answer),
            Some(code) => Err(NcmecError::Refused { code, description }),
            None => Err(wrong("it has no response code")),
        }
    }
}

/// An id goes into further documents, logs and addresses: plain and short, or not at all.
fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = (1..=128).contains(&text.len())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_'));
    plain.then(|| text.to_owned())
}

/// Every element with the names around it and the text directly in it.
fn leaves(text: &str) -> Result<Vec<(Vec<String>, String)>, NcmecError> {
    let unreadable = |error: &dyn std::fmt::Display| NcmecError::Answer(error.to_string());
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, String)> = Vec::new();
    let mut leaves = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| unreadable(&error))?;
        match event {
            Event::Start(start) if open.len() < 8 => {
                open.push((start.local_name().as_ref().to_owned(), String::new()))
            }
            Event::Start(_) => return Err(unreadable(&"it is nested too deeply")),
            Event::Empty(_) => {}
            Event::End(_) => {
                let path = open.iter().map(|(name, _)| name.clone()).collect();
                if let Some((_, text)) = open.pop() {
                    leaves.push((path, text));
                }
            }
            Event::Text(part) => append(&mut open, &part.xml10_content()),
            Event::CData(part) => append(&mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref().map_err(|error| unreadable(&error))?;
                match letter {
                    Some(letter) => append(&mut open, letter.encode_utf8(&mut [0; 4])),
                    None => append(
                        &mut open,
                        resolve_predefined_entity(&reference.xml10_content()).unwrap_or("\u{fffd}"),
                    ),
                }
            }
            Event::DocType(_) => return Err(unreadable(&"it defines a document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => return Ok(leaves),
            Event::Eof => return Err(unreadable(&"it is cut off")),
        }
    }
}

fn append(open: &mut [(String, String)], text: &str) {
    if let Some((_, inner)) = open.last_mut() {
        inner.push_str(text);
    }
}
