//! What holds for every request and every answer: headers that leave a browser nothing to do but show the page, and
//! no form from anywhere else.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{Origin, answer::Trouble, pages::passkey::Failed};

const POLICY: &str = "default-src 'none'; script-src 'none'; style-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";
/// Of the two pages that ask a browser for a passkey.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
                                  form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), \
         publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

/// Lets this answer run the one script.
pub(crate) fn with_script(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(POLICY_WITH_SCRIPT);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Around every handler of the desk.
pub(crate) async fn guard(State(origin): State<Arc<Origin>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if safe || from_here(request.headers(), origin.as_str()) {
        next.run(request).await
    } else {
        let what = "This did not come from a page of the desk, so nothing was done.";
        let next = format!("Open {origin}/desk, in a browser of this decade, and do it there.");
        Trouble::new(StatusCode::FORBIDDEN, what, next).into_response()
    };
    dress(&mut response);
    response
}

/// What every answer of the desk carries.
fn dress(response: &mut Response) {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether anybody may ask for this without a session, and have the desk look something up or keep something. The
/// server lets each network do it only so often.
pub fn is_knock(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/desk/sign-in/start" || path.starts_with("/desk/join/")
}

/// What who knocks too often is told: a page, or what the script shows. They may again after so many milliseconds.
pub fn too_often(request: &Request, wait_ms: u64) -> Response {
    let wait = match wait_ms.div_ceil(60_000) {
        0 | 1 => "in a minute".to_owned(),
        minutes => format!("in {minutes} minutes"),
    };
    let what = "Somebody in your network tried this too often.";
    let trouble = Trouble::new(StatusCode::TOO_MANY_REQUESTS, what, format!("Try again {wait}."));
    let mut response = match *request.method() {
        Method::POST => Failed::from(trouble).into_response(),
        _ => trouble.into_response(),
    };
    response.headers_mut().insert(header::RETRY_AFTER, wait_ms.div_ceil(1000).into());
    dress(&mut response);
    response
}

/// Whether a page of this origin sent it. Because of our referrer policy, browsers say `Origin: null` when a form is
/// sent; then only `Sec-Fetch-Site` tells.
fn from_here(headers: &HeaderMap, origin: &str) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Some(None),
            (Some(value), None) => Some(Some(value.as_bytes())),
            _ => None,
        }
    };
    let (Some(site), Some(from)) = (one("sec-fetch-site"), one("origin")) else { return false };
    match (site, from) {
        (Some(site), None | Some(b"null")) => site == b"same-origin",
        (Some(site), Some(from)) => site == b"same-origin" && from == origin.as_bytes(),
        (None, from) => from == Some(origin.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_origin_may_send() {
        let here = "https://desk.example";
        let ask = |site: &'static str, from: &'static str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", from)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            from_here(&headers, here)
        };
        for (site, from) in [("same-origin", "null"), ("same-origin", here), ("same-origin", ""), ("", here)]
        {
            assert!(ask(site, from), "{site} {from}");
        }
        for site in ["", "cross-site", "same-site", "none"] {
            assert!(!ask(site, "") && !ask(site, "null") && !ask(site, "https://evil.example"), "{site}");
        }
        assert!(!ask("same-origin", "https://evil.example") && !ask("cross-site", here));
    }
}
