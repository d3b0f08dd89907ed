use std::collections::HashSet;

use super::browser::Page;

const VOID: [&str; 6] = ["meta", "link", "input", "br", "hr", "img"];

/// What holds of every answer: its headers, and that its HTML is in order.
#[track_caller]
pub fn check(page: &Page) {
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    let same = |name, value| assert_eq!(page.header(name), value, "{name}");
    same("x-content-type-options", "nosniff");
    same("x-frame-options", "DENY");
    same("referrer-policy", "no-referrer");
    same("cache-control", "no-store");
    same("cross-origin-opener-policy", "same-origin");
    assert!(page.header("permissions-policy").contains("camera=()"));
    if !page.header("content-type").starts_with("text/html") {
        return;
    }
    let html = page.text();
    assert_eq!(
        html.contains("<script"),
        policy.contains("script-src 'self'"),
        "a script only where it is let"
    );
    assert_eq!(html.contains("<script"), policy.contains("connect-src 'self'"));
    let script = "<script src=\"/desk/passkey.js\" defer></script>";
    assert!(html.matches("<script").count() == html.matches(script).count());
    assert_eq!(html.matches("<h1>").count(), 1);
    elements(html);
}

/// Every element ends where it must, names are unique, and what refers to a name finds it.
#[track_caller]
fn elements(html: &str) {
    let rest = html.strip_prefix("<!DOCTYPE html>\n").expect("a document");
    let (mut open, mut ids, mut wanted, mut keys) = (Vec::new(), HashSet::new(), Vec::new(), HashSet::new());
    for tag in rest.split('<').skip(1) {
        let tag = tag.split_once('>').expect("a tag ends").0;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in {html}");
            continue;
        }
        let name = tag.split([' ', '\n']).next().expect("a first part");
        if !VOID.contains(&name) {
            open.push(name);
        }
        let attributes: Vec<_> = attributes(&tag[name.len()..]);
        let get = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        assert!(attributes.iter().all(|(name, _)| *name != "style" && !name.starts_with("on")), "{tag}");
        if let Some(id) = get("id") {
            assert!(ids.insert(id), "{id} is twice in {html}");
        }
        if let Some(key) = get("accesskey") {
            assert!(keys.insert(key), "the key {key} is twice");
            assert!(
                name == "input" || html.contains(&format!("<kbd>{key}</kbd>")),
                "the key {key} is not shown"
            );
        }
        wanted.extend(["for", "aria-labelledby"].into_iter().filter_map(get));
        if name == "th" {
            assert!(get("scope").is_some(), "{tag}");
        }
        let labelled = get("type").is_some_and(|kind| kind == "hidden");
        if matches!(name, "input" | "select" | "textarea") && !labelled {
            let id = get("id").unwrap_or_else(|| panic!("{tag} has no name"));
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{id} has no label");
        }
        if name == "form" && get("method") == Some("post") && get("id") != Some("passkey") {
            assert!(html.contains("name=\"csrf\""), "{tag}");
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for id in wanted {
        assert!(ids.contains(id), "there is no {id}");
    }
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.trim();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(after) => after.split_once('"').expect("a value ends"),
            None => ("", after),
        };
        found.push((name, value));
        rest = after.trim_start();
    }
    found
}
