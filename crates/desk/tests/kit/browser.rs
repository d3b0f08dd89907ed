use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, header},
};
use serde_json::{Value, json};
use tower_service::Service as _;

use super::{ORIGIN, html, key::Key};

/// What came back.
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Page {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    #[track_caller]
    pub fn shows(&self, what: &str) -> &Self {
        assert!(self.text().contains(what), "{what:?} is not in {}", self.text());
        self
    }

    #[track_caller]
    pub fn hides(&self, what: &str) -> &Self {
        assert!(!self.text().contains(what), "{what:?} is in {}", self.text());
        self
    }

    #[track_caller]
    pub fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status, self.header("location")),
            (303, path),
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
    }
}

/// Keeps the cookie and sends what a browser sends.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: String,
    /// What is sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub fn new(router: Router) -> Self {
        let here = [("host", "localhost:8420"), ("origin", "null"), ("sec-fetch-site", "same-origin")];
        let headers = here.map(|(name, value)| (name, value.to_owned())).into();
        Self { router, cookie: String::new(), headers }
    }

    /// Sends another value of a header from now on; none if it is empty.
    pub fn says(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub async fn ask(&mut self, method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Page {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, format!("theme=x; {}; other=y", self.cookie));
        }
        let answer =
            self.router.call(request.body(body.into()).expect("a request")).await.expect("never fails");
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        let page = Page { status: parts.status.as_u16(), headers: parts.headers, bytes };
        if let Some((cookie, _)) = page.header("set-cookie").split_once(';') {
            self.cookie = if cookie.ends_with('=') { String::new() } else { cookie.to_owned() };
        }
        assert_ne!(page.status, 500, "{path}");
        html::check(&page);
        page
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.ask(Method::GET, path, "text/plain", "").await
    }

    /// Sends a form with what the page at `from` put into it.
    pub async fn post(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(from).await;
        let csrf = page.text().split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let fields = [&[("csrf", csrf.unwrap_or_default())], fields].concat();
        self.send(path, &fields).await
    }

    /// Sends a form with these fields and no others.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", body).await
    }

    pub async fn json(&mut self, path: &str, value: &Value) -> Page {
        self.ask(Method::POST, path, "application/json", value.to_string()).await
    }

    /// Does what the script does on the join page.
    pub async fn join(&mut self, code: &str, key: &mut Key) -> Page {
        let began = self.json(&format!("/desk/join/{code}/start"), &json!({})).await;
        if began.status != 200 {
            return began;
        }
        let began = began.json();
        let done =
            json!({ "attempt": began["attempt"], "credential": key.make(&began["options"]["publicKey"]) });
        self.json(&format!("/desk/join/{code}/finish"), &done).await
    }

    /// Does what the script does on the sign-in page.
    pub async fn enter(&mut self, key: &mut Key) -> Page {
        let began = self.json("/desk/sign-in/start", &json!({})).await.json();
        let done =
            json!({ "attempt": began["attempt"], "credential": key.use_it(&began["options"]["publicKey"]) });
        self.json("/desk/sign-in/finish", &done).await
    }
}

/// Where a browser is that is not on our page.
pub fn strangers() -> [(&'static str, &'static str); 5] {
    [
        ("cross-site", "https://evil.example"),
        ("cross-site", "null"),
        ("same-site", ORIGIN),
        ("", "null"),
        ("", ""),
    ]
}
