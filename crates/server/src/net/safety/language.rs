//! Which language somebody reads, and which country they may be in, from what their browser says anyway.

use axum::http::{HeaderMap, header};
use zegel_safety::{Language, country_of};

/// What a browser may send; more is not looked at.
const MOST_TAGS: usize = 20;

/// The language that was asked for (`?lang=nl`), else the one that the browser likes best, else English.
pub(super) fn language(query: Option<&str>, headers: &HeaderMap) -> Language {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
    match asked.and_then(known) {
        Some(language) => language,
        None => tags(headers).iter().find_map(|tag| known(tag)).unwrap_or(Language::English),
    }
}

/// The country of the first tag that names one: `nl-BE` is Belgium. Whoever reads Dutch and says no more is taken to be
/// in the Netherlands.
pub(super) fn country(headers: &HeaderMap) -> Option<String> {
    let tags = tags(headers);
    let named = tags.iter().find_map(|tag| country_of(tag));
    let dutch = || tags.first().filter(|tag| known(tag) == Some(Language::Dutch)).map(|_| "nl".to_owned());
    named.or_else(dutch)
}

/// One of ours, if the tag names it.
fn known(tag: &str) -> Option<Language> {
    let language = tag.split('-').next()?;
    [("en", Language::English), ("nl", Language::Dutch)]
        .into_iter()
        .find_map(|(word, known)| language.eq_ignore_ascii_case(word).then_some(known))
}

/// The tags of Accept-Language (RFC 9110 section 12.5.4), the best liked first; those of weight 0 are left out.
fn tags(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let weighed = all.flat_map(|value| value.split(',')).take(MOST_TAGS).map(|item| {
        let (tag, parameter) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameter.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
        (tag.trim().to_owned(), weight)
    });
    let mut weighed: Vec<_> = weighed.filter(|(_, weight)| *weight > 0.0).collect();
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighed.into_iter().map(|(tag, _)| tag).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepts(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn what_is_asked_for_comes_before_what_the_browser_likes() {
        let dutch = accepts("nl,en;q=0.5");
        assert_eq!(language(Some("lang=en"), &dutch), Language::English);
        assert_eq!(language(Some("x=1&lang=nl"), &HeaderMap::new()), Language::Dutch);
        assert_eq!(language(Some("lang=tlh"), &dutch), Language::Dutch);
        assert_eq!(language(None, &HeaderMap::new()), Language::English);
    }

    #[test]
    fn the_best_liked_of_ours_is_taken() {
        for (value, expected) in [
            ("nl-BE,nl;q=0.9,en;q=0.8", Language::Dutch),
            ("de,en;q=0.3,nl;q=0.7", Language::Dutch),
            ("de-AT, fr;q=0.9", Language::English),
            ("nl;q=0, en", Language::English),
            ("NL", Language::Dutch),
            ("en;q=x,nl;q=NaN", Language::English),
            (";;,=,q=1", Language::English),
        ] {
            assert_eq!(language(None, &accepts(value)), expected, "{value}");
        }
    }

    #[test]
    fn a_tag_may_name_a_country() {
        for (value, expected) in [
            ("nl-BE,nl;q=0.9", Some("be")),
            ("nl", Some("nl")),
            ("en,nl;q=0.5", None),
            ("en,de-CH;q=0.5", Some("ch")),
            ("", None),
        ] {
            assert_eq!(country(&accepts(value)).as_deref(), expected, "{value}");
        }
    }
}
