//! The pages about safety, and rules of an operator's own, with the real program.

mod process;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

use process::{Place, Server, WIDE, program};
use zegel_safety::{Language, Policy, emergencies, help_countries, help_lines};

const PAGES: [&str; 4] = ["/safety", "/safety/young", "/safety/guardians", "/safety/help"];

/// Status line and headers in small letters, and the body, as a browser of these languages gets them.
fn browse(server: &Server, path: &str, languages: &str) -> (String, String) {
    ask(&server.address, path, languages)
}

fn ask(address: &str, path: &str, languages: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Language: {languages}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_ascii_lowercase(), body.to_owned())
}

fn body(server: &Server, path: &str, languages: &str) -> String {
    let (head, body) = browse(server, path, languages);
    assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
    body
}

/// What a page says, without marks and with its spaces made one.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    let text = text.replace("&#39;", "'").replace("&#60;", "<").replace("&#34;", "\"").replace("&#38;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every address that a page leads to.
fn links(html: &str) -> Vec<&str> {
    html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_page_is_there_in_both_languages_and_leads_somewhere() {
    let place = Place::new();
    let server = place.start();
    for path in PAGES {
        let english = body(&server, path, "en-GB,en;q=0.9");
        let dutch = body(&server, path, "nl-NL,nl;q=0.9,en;q=0.8");
        assert!(english.contains("<html lang=\"en\">") && english.contains("Child-safety experts have not"));
        assert!(dutch.contains("<html lang=\"nl\">") && dutch.contains("nog niet beoordeeld"), "{dutch}");
        assert_eq!(body(&server, &format!("{path}?lang=nl"), "en"), body(&server, path, "nl"));
        assert_eq!(body(&server, &format!("{path}?lang=en"), "nl"), body(&server, path, "en"));
        assert!(
            english
                .contains(&format!("<a href=\"{path}?lang=nl\" lang=\"nl\" hreflang=\"nl\">Nederlands</a>"))
        );
        assert!(english.contains(&format!("<a href=\"{path}?lang=en\" aria-current=\"page\">")));
        for page in [&english, &dutch] {
            let tag = if page == &english { "en" } else { "nl" };
            for link in links(page) {
                if let Some(section) = link.strip_prefix('#') {
                    assert!(page.contains(&format!("id=\"{section}\"")), "{path} {link}");
                } else if let Some(number) = link.strip_prefix("tel:") {
                    assert!(
                        number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty(),
                        "{path} {link}"
                    );
                } else if link.starts_with('/') {
                    body(&server, link, "");
                    let is_page = PAGES.iter().any(|page| link.starts_with(&format!("{page}?")));
                    let keeps =
                        !is_page || link.ends_with(tag) || page.contains(&format!("{link}\" lang=\""));
                    assert!(keeps, "{path}: {link} goes to the other language");
                } else {
                    assert!(link.starts_with("https://"), "{path} {link}");
                }
            }
        }
    }
    server.stop();
}

#[test]
fn a_page_runs_nothing_keeps_nothing_and_tells_nobody() {
    let place = Place::new();
    let server = place.start();
    for path in PAGES {
        let (head, body) = browse(&server, path, "en");
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; \
             base-uri 'none'",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "vary: accept-language",
            "content-type: text/html; charset=utf-8",
        ] {
            assert!(head.contains(&format!("\r\n{header}")), "{path}: {header}: {head}");
        }
        assert!(!head.contains("set-cookie"), "{path}");
        for never in ["<script", "style=", "onclick", "<img", "<form", "http://"] {
            assert!(!body.contains(never), "{path}: {never}");
        }
        assert!(body.contains("name=\"viewport\"") && body.matches("<h1>").count() == 1, "{path}");
    }
    let style = body(&server, "/safety/style.css", "");
    assert!(style.contains("prefers-color-scheme: dark") && !style.contains("url("));
    assert!(browse(&server, "/safety/other", "en").0.starts_with("http/1.1 404"));
    server.stop();
}

#[test]
fn who_reads_a_page_is_noted_nowhere() {
    let place = Place::new();
    let log = place.path("log");
    let mut serve = Command::new(program());
    serve.arg("serve").arg("--data").arg(place.data()).arg("--keys").arg(place.keys());
    serve.args(["--listen", "127.0.0.1:0", "--config"]).arg(place.path("config.toml"));
    serve.env("RUST_LOG", "debug").stdout(Stdio::piped()).stderr(fs::File::create(&log).expect("a log"));
    let mut serve = serve.spawn().expect("starts");
    let mut ready = String::new();
    BufReader::new(serve.stdout.take().expect("piped")).read_line(&mut ready).expect("a line");
    let address = ready.trim_end().strip_prefix("listening on http://").expect("ready").to_owned();
    let counted = |address: &str| {
        let metrics = ask(address, "/metrics", "").1;
        metrics.lines().filter(|line| !line.starts_with('#')).map(str::len).count()
    };
    let before = counted(&address);
    for path in PAGES {
        assert!(ask(&address, &format!("{path}?lang=nl"), "nl-BE").0.starts_with("http/1.1 200"), "{path}");
    }
    assert_eq!(counted(&address), before, "no new count came about");
    serve.kill().expect("killed");
    serve.wait().expect("ended");
    let log = fs::read_to_string(log).expect("read");
    for trace in ["/safety", "young", "nl-BE", "127.0.0.1:"] {
        assert!(!log.contains(trace), "{trace}: {log}");
    }
}

#[test]
fn every_rule_and_every_help_line_is_on_its_page() {
    let place = Place::new();
    let server = place.start();
    let policy = Policy::shipped();
    for (language, tag) in [(Language::English, "en"), (Language::Dutch, "nl")] {
        let page = text(&body(&server, "/safety", tag));
        for rule in policy.rules(language) {
            assert!(page.contains(&rule.says) && page.contains(&rule.source), "{tag} {}", rule.name);
        }
        for path in ["/safety/help", "/safety/young", "/safety/guardians"] {
            let page = body(&server, path, tag);
            for it in emergencies() {
                let (phone, place) = (&it.phone, it.place.in_language(language));
                assert!(page.contains(&format!("<a href=\"tel:{phone}\">{phone}</a> in {place}")), "{it:?}");
            }
        }
        let help = body(&server, "/safety/help", tag);
        for line in help_countries().into_iter().chain(["eu", "*"]).flat_map(help_lines) {
            let said = text(&help);
            assert!(said.contains(&line.name) && said.contains(line.what.in_language(language)), "{line:?}");
            assert!(help.contains(&format!("<a href=\"{}\">", line.web)), "{line:?}");
            for (phone, digits) in line.dialled() {
                assert!(help.contains(&format!("href=\"tel:{digits}\">{phone}</a>")), "{line:?}");
            }
        }
    }
    // Whose country the browser tells finds its own first.
    let first = |languages| {
        let help = body(&server, "/safety/help", languages);
        help.split("<section id=\"").nth(1).expect("a country")[..2].to_owned()
    };
    assert_eq!([first("en-IE,en"), first("nl-BE"), first("nl"), first("fr-FR,en")], ["ie", "be", "nl", "fr"]);
    let file = body(&server, "/safety/rules.toml", "");
    assert_eq!(Policy::read(&file).expect("sound").hash(), policy.hash());
    server.stop();
}

#[test]
fn the_first_page_leads_to_safety_and_help_in_both_languages() {
    let place = Place::new();
    let server = place.start();
    for (tag, says) in [("en", "This is a Zegel service"), ("nl", "Dit is een Zegel-dienst")] {
        let (head, page) = browse(&server, "/", tag);
        assert!(
            head.contains("\r\ncontent-type: text/html") && head.contains("\r\nreferrer-policy: no-referrer")
        );
        assert!(page.contains(&format!("<html lang=\"{tag}\">")) && page.contains(says), "{page}");
        for path in PAGES {
            assert!(page.contains(&format!("<li><a href=\"{path}?lang={tag}\">")), "{path}: {page}");
        }
        assert!(links(&page).iter().any(|link| link.ends_with("/desk")), "{page}");
    }
    assert_eq!(body(&server, "/?lang=nl", "en"), body(&server, "/", "nl"));
    server.stop();
}

#[test]
fn a_source_is_there_for_whoever_opens_it() {
    let place = Place::new();
    let server = place.start();
    for tag in ["en", "nl"] {
        let page = body(&server, "/safety", tag);
        for rule in Policy::shipped().rules(Language::English) {
            let section = page.split(&format!("<section id=\"{}\">", rule.name)).nth(1).expect("on the page");
            let (seen, hidden) = section.split_once("<details").expect("a source");
            let hidden = hidden.split("</details>").next().expect("its end");
            assert!(
                text(hidden).contains(&rule.source) && !text(seen).contains(&rule.source),
                "{}",
                rule.name
            );
        }
    }
    server.stop();
}

#[test]
fn a_child_who_left_a_guardian_reads_who_can_let_them_have_another() {
    let place = Place::new();
    let server = place.start();
    for path in ["/safety/young", "/safety/guardians"] {
        for tag in ["en", "nl"] {
            assert!(body(&server, path, tag).contains("zegel-server release-guardian"), "{path} {tag}");
        }
    }
    server.stop();
}

/// A file of rules, which the configuration names.
fn own_rules(place: &Place, rules: &str) {
    let file = place.path("safety.toml");
    fs::write(&file, rules).expect("written");
    place.configure(&format!("safety = {file:?}\n{WIDE}"));
}

/// The shipped rules with other numbers.
fn numbered(change: impl FnOnce(&mut Policy)) -> String {
    let mut policy = Policy::shipped();
    change(&mut policy);
    policy.to_toml()
}

#[test]
fn rules_that_an_operator_changed_are_announced() {
    let place = Place::new();
    place.start().stop();
    own_rules(&place, &numbered(|policy| policy.strangers.numbers.a_day = 600));
    let server = place.start();
    let page = text(&body(&server, "/safety", "en"));
    assert!(page.contains("at most 600 people who gave you"), "{page}");
    let most = Policy::shipped().strangers.numbers.a_day;
    let shipped = format!(
        "The operator of this service changed this rule. As Zegel ships it, it says: In one day you can introduce \
         yourself to at most {most} people"
    );
    assert!(page.contains(&shipped), "{page}");
    let changed = format!(": How many strangers in a day (strangers in a day: 600, was {most}) (");
    assert!(page.contains(&changed), "{page}");
    assert!(page.contains(": the service began with these rules ("), "{page}");
    let dutch = text(&body(&server, "/safety", "nl"));
    assert!(dutch.contains("De beheerder van deze dienst veranderde deze regel."), "{dutch}");
    assert!(dutch.contains(&format!("(onbekenden op een dag: 600, was eerst {most})")), "{dutch}");
    server.stop();
    let conn = rusqlite::Connection::open(place.data().join("zegel.db")).expect("a store");
    let line: String = conn.query_row("SELECT line FROM desk_log", [], |row| row.get(0)).expect("one line");
    assert!(line.contains("\"operator\",\"act\":\"safety-rules\"") && line.contains("strangers"), "{line}");
}

/// A start that must fail; what it said.
fn refused_start(place: &Place) -> String {
    let mut serve = Command::new(program());
    serve.arg("serve").arg("--data").arg(place.data()).arg("--keys").arg(place.keys());
    let serve = serve.args(["--listen", "127.0.0.1:0", "--config"]).arg(place.path("config.toml"));
    let output = serve.output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn rules_that_say_something_else_than_the_program_does_are_refused() {
    let place = Place::new();
    let shipped = Policy::shipped_text();
    let reworded = shipped.replace("A stranger cannot send anything", "A stranger can send everything");
    assert_ne!(reworded, shipped);
    own_rules(&place, &reworded);
    let said = refused_start(&place);
    assert!(said.contains("rule first-contact: its sentence is not the one that ships"), "{said}");
    own_rules(&place, &numbered(|policy| policy.codes.numbers.days = 300));
    let said = refused_start(&place);
    assert!(said.contains("rule codes: `days` is from 1 to 28; change it, and try `zegel-server"), "{said}");
    // What is wrong is in that file, and on no line of the configuration that names it.
    let whole =
        format!("while reading the safety rules {}: rule codes:", place.path("safety.toml").display());
    assert!(said.contains(&whole) && !said.contains("TOML") && !said.contains("config.toml"), "{said}");
    place.configure("safety = \"/nowhere/safety.toml\"\n");
    assert!(refused_start(&place).contains("while reading the safety rules /nowhere/safety.toml"));
}

#[test]
fn an_operator_checks_a_file_before_using_it() {
    let run = |arguments: &[&str]| {
        let output = Command::new(program()).args(arguments).output().expect("runs");
        let said = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), said(output.stdout), said(output.stderr))
    };
    let (status, printed, _) = run(&["safety"]);
    assert_eq!((status, &*printed), (Some(0), Policy::shipped_text()));
    let place = Place::new();
    let file = place.path("safety.toml");
    let path = file.to_str().expect("UTF-8");
    fs::write(&file, &printed).expect("written");
    assert_eq!(run(&["safety", path]), (Some(0), "the rules are those that ship\n".into(), String::new()));
    let days = Policy::shipped().codes.numbers.days;
    own_rules(&place, &numbered(|policy| policy.codes.numbers.days = 27));
    let (status, said, _) = run(&["safety", path]);
    assert_eq!(status, Some(0));
    assert!(
        said.starts_with("the rules are sound; 1 of them differs from those that ship:\n\ncodes\n"),
        "{said}"
    );
    assert!(
        said.contains(&format!("\n! days is 27, shipped {days}\n")) && said.contains("works for 27 days,"),
        "{said}"
    );
    assert!(said.contains("Lines with ! protect people less than"), "{said}");
    own_rules(&place, &numbered(|policy| policy.codes.numbers.days = 1));
    let said = run(&["safety", path]).1;
    assert!(said.contains(&format!("\n  days is 1, shipped {days}\n")) && !said.contains('!'), "{said}");
    own_rules(&place, &numbered(|policy| policy.unwanted.numbers.people = 1));
    let (status, said, error) = run(&["safety", path]);
    assert_eq!((status, &*said), (Some(1), ""));
    assert!(error.contains("rule unwanted: `people` is from 8 to 50; change it, and try"), "{error}");
    let (status, _, error) = run(&["safety", "/nowhere"]);
    assert!(status == Some(1) && error.contains("while reading the safety rules /nowhere"), "{error}");
}
