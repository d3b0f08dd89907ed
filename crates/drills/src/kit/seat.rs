//! Somebody at the desk: asked in by the operator's real command, signed in with a passkey, at the real pages.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Passkey, Stage,
    wait::{WAIT, within},
};
use crate::drill::{Verdict, carried_out};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What came back.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    headers: String,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Page {
    fn read(answer: Vec<u8>) -> Verdict<Self> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("an answer without a head")?;
        let headers = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Self {
            status: status.ok_or("an answer without a status")?,
            headers,
            bytes: answer[end + 4..].to_vec(),
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether it leads to the page where one signs in.
    pub fn asks_to_sign_in(&self) -> bool {
        let path = self.header("location").and_then(|location| location.split('?').next());
        self.status == 303 && path == Some("/desk/sign-in")
    }

    fn json(&self) -> Verdict<Value> {
        carried_out(self.status == 200, format!("an answer of the desk's script: {}", self.text()))?;
        Ok(serde_json::from_slice(&self.bytes)?)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.headers.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// See the module.
pub struct Seat {
    address: String,
    origin: String,
    passkey: Passkey,
    /// The session that a browser would send along.
    pub cookie: String,
}

impl Seat {
    /// Somebody new, signed in. `role` is the command's word.
    pub async fn takes(stage: &Stage, role: &str, name: &str) -> Verdict<Self> {
        let address = stage.address().to_owned();
        let origin = format!("http://localhost:{}", address.rsplit(':').next().unwrap_or_default());
        let invite = ["desk-invite", role, "--name", name, "--origin", &origin];
        let link = stage.server(|server| server.operator(&invite))?;
        let code = link.trim().rsplit('/').next().unwrap_or_default().to_owned();
        let mut seat = Self { passkey: Passkey::new(&origin)?, address, origin, cookie: String::new() };
        let began = seat.script(&format!("/desk/join/{code}/start"), &json!({})).await?.json()?;
        let made = seat.passkey.made(&began["options"]["publicKey"])?;
        let done = json!({ "attempt": began["attempt"], "credential": made });
        seat.script(&format!("/desk/join/{code}/finish"), &done).await?.json()?;
        let page = seat.signs_in().await?;
        carried_out(page.status == 200, format!("signing in at the desk: {}", page.text()))?;
        Ok(seat)
    }

    /// Signs in with the passkey, and keeps the session if there is one.
    pub async fn signs_in(&mut self) -> Verdict<Page> {
        let began = self.script("/desk/sign-in/start", &json!({})).await?.json()?;
        let used = self.passkey.used(&began["options"]["publicKey"])?;
        let done = json!({ "attempt": began["attempt"], "credential": used });
        let page = self.script("/desk/sign-in/finish", &done).await?;
        if let Some((cookie, _)) = page.header("set-cookie").and_then(|cookie| cookie.split_once(';')) {
            self.cookie = cookie.to_owned();
        }
        Ok(page)
    }

    /// A page.
    pub async fn gets(&self, path: &str) -> Verdict<Page> {
        self.ask("GET", path, "", &self.page_headers(), b"").await
    }

    /// Sends a form as the desk's own page does; its token is that of the page at `from`.
    pub async fn posts(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Verdict<Page> {
        let token = self.token(from).await?;
        let fields = [&[("csrf", token.as_str())], fields].concat();
        self.sends(path, &fields, &self.page_headers()).await
    }

    /// Sends a form with these fields and no others, from anywhere.
    pub async fn sends(&self, path: &str, fields: &[(&str, &str)], from: &str) -> Verdict<Page> {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.ask("POST", path, FORM, from, fields.join("&").as_bytes()).await
    }

    /// What the forms of a page carry.
    pub async fn token(&self, page: &str) -> Verdict<String> {
        let page = self.gets(page).await?.text();
        let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        Ok(token.ok_or("a page without a form")?.to_owned())
    }

    /// What a browser says of a request that a page of the desk makes.
    pub fn page_headers(&self) -> String {
        format!("Origin: {}\r\nSec-Fetch-Site: same-origin\r\n", self.origin)
    }

    /// Does one of the things that take one button.
    pub async fn acts(&self, case: &str, act: &str) -> Verdict<Page> {
        // Filing asks for this mark before anything else is looked at; the rest do not read it.
        self.posts("/desk", &format!("/desk/case/{case}/{act}"), &[("looked", "yes")]).await
    }

    /// Claims a case and decides it, which must be possible.
    pub async fn decides(&self, case: &str, measure: &str) -> Verdict<()> {
        let claimed = self.acts(case, "claim").await?;
        carried_out(claimed.status == 303, format!("claiming the case: {}", claimed.text()))?;
        let decided = self.tries(case, measure).await?;
        carried_out(decided.status == 303, format!("deciding the case: {}", decided.text()))
    }

    /// Sends the form that decides a case.
    pub async fn tries(&self, case: &str, measure: &str) -> Verdict<Page> {
        let fields = [
            ("measure", measure),
            ("days", "7"),
            ("ground", "threats"),
            // All that a drill has decided has one report.
            ("seen", "1"),
            ("explanation", "You threatened."),
        ];
        self.posts("/desk", &format!("/desk/case/{case}/decide"), &fields).await
    }

    async fn script(&self, path: &str, body: &Value) -> Verdict<Page> {
        self.ask("POST", path, JSON, &self.page_headers(), body.to_string().as_bytes()).await
    }

    async fn ask(&self, method: &str, path: &str, kind: &str, more: &str, body: &[u8]) -> Verdict<Page> {
        let host = self.origin.trim_start_matches("http://");
        let (length, cookie) = (body.len(), &self.cookie);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n{more}\r\n"
        );
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(&[head.as_bytes(), body].concat()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        Page::read(within(WAIT, "a page of the desk", exchange).await??)
    }
}

/// A value of a form.
fn escaped(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}
