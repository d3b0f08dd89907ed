//! A stand-in for an authority with NCMEC's reporting interface: it enforces the steps' order, who asks, and the
//! fields that its documents require, and answers as it does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The values of `incidentType` that concern us.
const KINDS: [&str; 2] = [
    "Child Pornography (possession, manufacture, and distribution)",
    "Online Enticement of Children for Sexual Acts",
];

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Stage {
    Submitted,
    Uploaded,
    Described,
    Finished,
    Retracted,
}

#[derive(Default)]
pub struct Desk {
    /// The steps that were asked for, in order.
    pub asked: Vec<String>,
    /// This step is refused.
    pub refuses: Option<&'static str>,
    /// This step is answered with another status, or with what is no answer.
    pub breaks: Option<(&'static str, StatusCode)>,
    /// This step is taken, and its answer is lost on the way.
    pub loses: Option<&'static str>,
    pub reports: HashMap<String, Stage>,
    pub documents: Vec<String>,
    pub files: Vec<Vec<u8>>,
}

#[derive(Clone)]
pub struct Authority {
    pub url: String,
    pub state: Arc<Mutex<Desk>>,
}

type Refusal = (i64, String);

impl Authority {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}/ispws", listener.local_addr().expect("an address"));
        let state = Arc::<Mutex<Desk>>::default();
        let router = Router::new().route("/ispws/{step}", post(step)).with_state(state.clone());
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub fn asked(&self) -> Vec<String> {
        self.state.lock().expect("whole").asked.clone()
    }
    pub fn refuse(&self, step: &'static str) {
        self.state.lock().expect("whole").refuses = Some(step);
    }
    pub fn take_all(&self) {
        let mut state = self.state.lock().expect("whole");
        (state.refuses, state.breaks, state.loses) = (None, None, None);
        state.asked.clear();
    }
    pub fn stages(&self) -> Vec<Stage> {
        self.state.lock().expect("whole").reports.values().copied().collect()
    }
}

async fn step(
    State(state): State<Arc<Mutex<Desk>>>,
    Path(step): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let pair = format!("Basic {}", BASE64_STANDARD.encode("zegel:s3cret"));
    if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&pair) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let mut desk = state.lock().expect("whole");
    desk.asked.push(step.clone());
    if let Some((broken, status)) = desk.breaks.filter(|(broken, _)| *broken == step) {
        return (status, format!("<html>{broken} is out of order</html>")).into_response();
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer = match desk.refuses {
        Some(refused) if refused == step => Err((4100, "Validation failed: SECRET WORDS OF A CHILD".into())),
        _ => desk.take(&step, kind, &body),
    };
    if desk.loses.is_some_and(|lost| lost == step) {
        return (StatusCode::GATEWAY_TIMEOUT, "<html>upstream timed out</html>").into_response();
    }
    let root = if step == "finish" { "reportDoneResponse" } else { "reportResponse" };
    let inner = match answer {
        Ok(inner) => {
            format!("<responseCode>0</responseCode><responseDescription>Success</responseDescription>{inner}")
        }
        Err((code, why)) => {
            format!("<responseCode>{code}</responseCode><responseDescription>{why}</responseDescription>")
        }
    };
    let xml =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><{root}>{inner}</{root}>");
    ([(header::CONTENT_TYPE, "text/xml;charset=utf-8")], xml).into_response()
}

impl Desk {
    fn take(&mut self, step: &str, kind: &str, body: &[u8]) -> Result<String, Refusal> {
        match step {
            "submit" => {
                let xml = document(kind, body, "report")?;
                required(&xml)?;
                let id = format!("{}", 4_564_654 + self.reports.len());
                self.reports.insert(id.clone(), Stage::Submitted);
                self.documents.push(xml);
                Ok(format!("<reportId>{id}</reportId>"))
            }
            "upload" => {
                let form = form(kind, body)?;
                let id = self.at(&field(&form, "id")?, Stage::Submitted, Stage::Uploaded)?;
                let file =
                    form.into_iter().find(|(name, _)| name == "file").ok_or_else(|| invalid("file"))?;
                self.files.push(file.1);
                Ok(format!("<reportId>{id}</reportId><fileId>b0754af766b426f2</fileId><hash>fafa5efe</hash>"))
            }
            "fileinfo" => {
                let xml = document(kind, body, "fileDetails")?;
                if element(&xml, "fileId") != Some("b0754af766b426f2") {
                    return Err(invalid("fileId"));
                }
                let id = element(&xml, "reportId").ok_or_else(|| invalid("reportId"))?.to_owned();
                let id = self.at(&id, Stage::Uploaded, Stage::Described)?;
                self.documents.push(xml);
                Ok(format!("<reportId>{id}</reportId>"))
            }
            "finish" => {
                let id = self.at(&field(&form(kind, body)?, "id")?, Stage::Described, Stage::Finished)?;
                Ok(format!("<reportId>{id}</reportId><files><fileId>b0754af766b426f2</fileId></files>"))
            }
            "retract" => {
                let id = field(&form(kind, body)?, "id")?;
                match self.reports.get_mut(&id) {
                    Some(stage) if *stage != Stage::Finished => *stage = Stage::Retracted,
                    _ => return Err((5001, "Report is finished or does not exist".into())),
                }
                Ok(format!("<reportId>{id}</reportId>"))
            }
            other => Err((4000, format!("no such step: {other}"))),
        }
    }

    fn at(&mut self, id: &str, from: Stage, to: Stage) -> Result<String, Refusal> {
        let stage = self.reports.get_mut(id).ok_or((5001, "Report does not exist".to_owned()))?;
        if *stage != from {
            return Err((5002, format!("out of order: the report is {stage:?}")));
        }
        *stage = to;
        Ok(id.to_owned())
    }
}

fn invalid(what: &str) -> Refusal {
    (4100, format!("Validation failed: {what}"))
}

fn document(kind: &str, body: &[u8], root: &str) -> Result<String, Refusal> {
    if !kind.starts_with("text/xml") || !kind.to_ascii_lowercase().contains("charset=utf-8") {
        return Err((4200, format!("Malformed XML: content type {kind}")));
    }
    let xml = std::str::from_utf8(body).map_err(|_| (4200, "Malformed XML".to_owned()))?;
    match xml.starts_with("<?xml") && element(xml, root).is_some() {
        true => Ok(xml.to_owned()),
        false => Err((4200, format!("Malformed XML: no {root}"))),
    }
}

/// What every report must say.
fn required(xml: &str) -> Result<(), Refusal> {
    let summary = element(xml, "incidentSummary").ok_or_else(|| invalid("incidentSummary"))?;
    let kind = element(summary, "incidentType").ok_or_else(|| invalid("incidentType"))?;
    if !KINDS.contains(&kind) {
        return Err(invalid("incidentType"));
    }
    let time = element(summary, "incidentDateTime").ok_or_else(|| invalid("incidentDateTime"))?;
    let zoned = time.ends_with('Z')
        || time.get(time.len().wrapping_sub(6)..).is_some_and(|z| z.starts_with(['+', '-']));
    if time.len() < 20 || time.as_bytes()[10] != b'T' || !zoned {
        return Err(invalid("incidentDateTime"));
    }
    let reporter = element(xml, "reporter").ok_or_else(|| invalid("reporter"))?;
    let person = element(reporter, "reportingPerson").ok_or_else(|| invalid("reportingPerson"))?;
    let email = element(person, "email").unwrap_or_default();
    if !email.contains('@') || element(person, "firstName").is_none_or(str::is_empty) {
        return Err(invalid("reportingPerson"));
    }
    Ok(())
}

/// What stands in the first element of this name.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let from = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let to = from + xml[from..].find(&format!("</{name}>"))?;
    Some(xml[from..to].trim())
}

fn form(kind: &str, body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let wrong = || (4000, "not a form".to_owned());
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").ok_or_else(wrong)?;
    let mark = format!("--{boundary}");
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let mut rest = body.strip_prefix(mark.as_bytes()).ok_or_else(wrong)?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let head = find(part, b"\r\n\r\n").ok_or_else(wrong)?;
        let names = String::from_utf8_lossy(&part[..head]).into_owned();
        let name = names.split("name=\"").nth(1).and_then(|name| name.split('"').next()).ok_or_else(wrong)?;
        let value = &part[head + 4..];
        let end = find(value, format!("\r\n{mark}").as_bytes()).ok_or_else(wrong)?;
        parts.push((name.to_owned(), value[..end].to_vec()));
        rest = &value[end + 2 + mark.len()..];
    }
    if rest == b"--\r\n" { Ok(parts) } else { Err(wrong()) }
}

fn field(form: &[(String, Vec<u8>)], name: &str) -> Result<String, Refusal> {
    let value = form.iter().find(|(known, _)| known == name).ok_or_else(|| invalid(name))?;
    String::from_utf8(value.1.clone()).map_err(|_| invalid(name))
}
