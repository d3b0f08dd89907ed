//! An authority over HTTP, as NCMEC's reporting interface is: XML or forms go there, XML comes back.

use std::{fmt::Display, fs, io::Read as _, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ureq::{Agent, http::Uri};
use zeroize::Zeroizing;

use crate::config::Filing;

/// How long one step may take, the upload among them.
const STEP: Duration = Duration::from_secs(120);
/// The most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 10;
/// The most that is shown of what the authority said.
const MAX_SAID: usize = 300;

/// Why the authority did not take a report.
pub(super) struct Fault {
    /// For the log: nothing of what the authority wrote.
    pub(super) short: String,
    /// For who files it.
    pub(super) text: String,
    /// What follows from it, and what they may try.
    pub(super) advice: String,
    /// The authority itself said no, so it is certain that it did not do it.
    pub(super) refused: bool,
}

impl Fault {
    /// What is not as it should be here.
    pub(super) fn own(doing: &str, why: impl Display, hint: &str) -> Self {
        let (text, advice) = (format!("while {doing}: {why}"), format!("try {hint}"));
        Self { short: doing.to_owned(), text, advice, refused: false }
    }

    /// What the authority said; its words may quote the report, so they stay out of the log.
    pub(super) fn said(doing: &str, short: impl Display, said: &str) -> Self {
        let said: String = said.chars().filter(|c| !c.is_control()).take(MAX_SAID).collect();
        let text = format!("while {doing}: {short}: {said:?}");
        let advice = "nothing was filed; try again, or ask the authority".into();
        Self { short: format!("{doing}: {short}"), text, advice, refused: false }
    }
}

/// A connection to it.
pub(super) struct Authority {
    agent: Agent,
    base: String,
    authorization: Zeroizing<String>,
}

/// What is posted.
pub(super) enum Body<'a> {
    Xml(&'a str),
    /// A form with the report's number and perhaps a file: name and bytes.
    Form {
        id: &'a str,
        file: Option<(&'a str, &'a [u8])>,
    },
}

impl Authority {
    /// Reads the password. Nothing is sent yet.
    pub(super) fn new(filing: &Filing) -> Result<Self, Fault> {
        let doing = "preparing to file";
        let base = filing.url.trim_end_matches('/').to_owned();
        let uri: Uri =
            base.parse().map_err(|_| Fault::own(doing, "[desk.filing] url is no URL", "another"))?;
        let here = uri.host().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        if uri.scheme_str() != Some("https") && !(here && uri.scheme_str() == Some("http")) {
            return Err(Fault::own(doing, "[desk.filing] url is not https", "one that is"));
        }
        let password = fs::read_to_string(&filing.password_file).map(Zeroizing::new).map_err(|error| {
            Fault::own(doing, format!("the password file cannot be read: {error}"), "another password_file")
        })?;
        let pair = Zeroizing::new(format!("{}:{}", filing.user, password.trim_end_matches(['\r', '\n'])));
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // What was sent, and the password, go nowhere else.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(STEP))
            .user_agent(concat!("zegel-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let authorization = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())));
        Ok(Self { agent, base, authorization })
    }

    /// Takes one step; returns the body of an answer with status 200.
    pub(super) fn post(&self, doing: &str, path: &str, body: &Body<'_>) -> Result<String, Fault> {
        let (kind, bytes) = match body {
            Body::Xml(xml) => ("text/xml; charset=utf-8".to_owned(), xml.as_bytes().to_vec()),
            Body::Form { id, file } => form(id, *file),
        };
        let request = self.agent.post(format!("{}{path}", self.base));
        let request =
            request.header("authorization", self.authorization.as_str()).header("content-type", &kind);
        let failed =
            |why: &dyn Display| Fault::said(doing, "the authority cannot be reached", &why.to_string());
        let mut answer = request.send(&bytes[..]).map_err(|error| failed(&error))?;
        let mut text = Vec::new();
        let read = answer.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut text);
        read.map_err(|error| failed(&error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        match answer.status().as_u16() {
            200 => Ok(text),
            401 | 403 => Err(Fault::said(doing, "the authority does not take the user and password", &text)),
            other => Err(Fault::said(doing, format!("the authority answered with status {other}"), &text)),
        }
    }
}

/// A form (RFC 7578): its content type and bytes.
fn form(id: &str, file: Option<(&str, &[u8])>) -> (String, Vec<u8>) {
    // Random, so that no file holds it.
    let boundary = format!("zegel-{:032x}", rand::random::<u128>());
    let part = |name: &str, more: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n")
    };
    let mut body = format!("{}\r\n{id}\r\n", part("id", "")).into_bytes();
    if let Some((name, bytes)) = file {
        let head = part("file", &format!("; filename=\"{name}\""));
        body.extend(format!("{head}Content-Type: application/octet-stream\r\n\r\n").as_bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}
