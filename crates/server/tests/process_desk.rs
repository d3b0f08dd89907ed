//! Operators and the desk's people, with the real program.

mod process;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use process::Place;
use zegel_cases::{LogEntry, LogHead, verify_log};

/// The answer to a request without a body: status line, headers and body.
fn get(address: &str, host: &str, path: &str) -> String {
    ask("GET", address, host, path)
}

fn ask(method: &str, address: &str, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn invite<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["desk-invite"], arguments].concat()
}

fn log(place: &Place) -> Vec<LogEntry> {
    let conn = rusqlite::Connection::open(place.data().join("zegel.db")).expect("a store");
    let mut lines = conn.prepare("SELECT line FROM desk_log ORDER BY seq").expect("SQL");
    let lines: Vec<String> =
        lines.query_map([], |row| row.get(0)).expect("read").map(|line| line.expect("a line")).collect();
    verify_log(LogHead::default(), lines.iter().map(String::as_str)).expect("a chain").0
}

#[test]
fn people_are_invited_listed_and_removed_while_the_server_runs() {
    let place = Place::new();
    let server = place.start();
    let port = server.address.rsplit(':').next().expect("a port").to_owned();
    let origin = format!("http://localhost:{port}");
    let link = place.done(&invite(&["senior", "--name", "zoe", "--origin", &origin]));
    let path = link.strip_prefix(&origin).expect("the origin").to_owned();
    assert!(path.starts_with("/desk/join/"), "{path}");
    let host = format!("localhost:{port}");
    let page = get(&server.address, &host, &path);
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("zoe"), "{page}");
    let other = get(&server.address, &host, "/desk/join/aaaaa-aaaaa-aaaaa-aaaaa");
    assert!(other.starts_with("HTTP/1.1 404") && !other.contains("zoe"), "{other}");
    // Whoever looks what is there learns where help and the desk are, and nothing else.
    let root = get(&server.address, &server.address, "/");
    let desk = format!("href=\"{origin}/desk\"");
    assert!(
        root.starts_with("HTTP/1.1 200") && root.contains("/safety/help") && root.contains(&desk),
        "{root}"
    );
    // Nobody sees the queue without signing in.
    let queue = get(&server.address, &host, "/desk");
    assert!(queue.starts_with("HTTP/1.1 303") && queue.contains("location: /desk/sign-in"), "{queue}");

    // Only the hash of the code is kept.
    let code = path.rsplit('/').next().expect("a code");
    let mut files = fs::read(place.data().join("zegel.db")).expect("read");
    files.extend(fs::read(place.data().join("zegel.db-wal")).unwrap_or_default());
    assert!(!files.windows(code.len()).any(|window| window == code.as_bytes()));

    let listed = place.done(&["desk-staff"]);
    assert!(listed.starts_with("zoe senior (invited until 20") && listed.ends_with("Z)"), "{listed}");
    // A new link ends the older one, and what nobody used is taken back.
    let newer = place.done(&invite(&["auditor", "--name", "zoe"]));
    assert!(get(&server.address, &host, &path).starts_with("HTTP/1.1 404"));
    assert!(get(&server.address, &host, &newer).starts_with("HTTP/1.1 200"));
    assert!(place.done(&["desk-staff"]).starts_with("zoe auditor (invited"));
    assert_eq!(place.done(&["desk-remove", "zoe"]), "the invitation of zoe is taken back");
    assert!(get(&server.address, &host, &newer).starts_with("HTTP/1.1 404"));
    assert!(place.refused(&["desk-remove", "zoe"]).contains("nobody is invited under it"));
    assert_eq!(place.done(&["desk-staff"]), "nobody yet");

    let conn = rusqlite::Connection::open(place.data().join("zegel.db")).expect("a store");
    let sql = "INSERT INTO desk_staff (name, role, handle, passkeys, removed) VALUES ('ben', 'auditor', ?1, '[]', 0)";
    conn.execute(sql, [[1u8; 16]]).expect("inserted");
    assert_eq!(place.done(&["desk-staff"]), "ben auditor");
    assert_eq!(place.done(&["desk-remove", "ben"]), "ben is no longer at the desk");
    assert_eq!(place.done(&["desk-staff"]), "ben auditor (removed)");
    assert!(place.refused(&["desk-remove", "ben"]).contains("desk-staff"));
    assert!(place.refused(&invite(&["senior", "--name", "ben"])).contains("never given twice"));
    for name in ["", "operator", "Ada", "a b", "../x"] {
        assert!(place.refused(&invite(&["senior", "--name", name])).contains("try another"), "{name}");
    }
    let bare = place.refused(&invite(&["senior", "--name", "ada", "--origin", "http://192.0.2.1"]));
    assert!(bare.contains("bare IP"), "{bare}");

    let entries = log(&place);
    let acts = entries.iter().map(|entry| (entry.who.0.as_str(), entry.act.as_str(), entry.detail.as_str()));
    assert_eq!(
        acts.collect::<Vec<_>>(),
        [
            ("operator", "desk-invite", "zoe as senior"),
            ("operator", "desk-invite", "zoe as auditor"),
            ("operator", "desk-uninvite", "zoe"),
            ("operator", "desk-remove", "ben")
        ]
    );
    server.stop();
}

#[test]
fn nobody_floods_the_door() {
    let place = Place::new();
    place.configure(&format!("{}desk_per_address = {{ burst = 3, per_hour = 1 }}\n", process::WIDE));
    let server = place.start();
    let host = server.address.replace("127.0.0.1", "localhost");
    let ask = |method, path| ask(method, &server.address, &host, path);
    for _ in 0..2 {
        assert!(ask("GET", "/desk/join/aaaaa-aaaaa").starts_with("HTTP/1.1 404"));
    }
    let begun = ask("POST", "/desk/sign-in/start");
    assert!(begun.starts_with("HTTP/1.1 200") && begun.contains("\"attempt\""), "{begun}");
    let page = ask("GET", "/desk/join/aaaaa-aaaaa");
    assert!(page.starts_with("HTTP/1.1 429") && page.contains("<h1>Try again later</h1>"), "{page}");
    assert!(page.contains("retry-after: ") && page.contains("content-security-policy: "), "{page}");
    // The script reads JSON.
    for path in ["/desk/sign-in/start", "/desk/join/aaaaa-aaaaa/start", "/desk/join/aaaaa-aaaaa/finish"] {
        let answer = ask("POST", path);
        assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
        assert!(answer.contains("{\"error\":\"Somebody in your network tried this too often."), "{answer}");
    }
    // Whoever is signed in is not kept out, and the page says where to sign in.
    assert!(ask("GET", "/desk").starts_with("HTTP/1.1 303"));
    assert!(ask("GET", "/desk/sign-in").starts_with("HTTP/1.1 200"));
    server.stop();
}

#[test]
fn an_invitations_link_begins_where_the_configuration_says() {
    let place = Place::new();
    place.configure("[desk]\norigin = \"https://desk.example.org\"\n");
    place.start().stop();
    let config = place.path("config.toml");
    let config = config.to_str().expect("UTF-8");
    let link = place.done(&["desk-invite", "moderator", "--name", "ada", "--config", config]);
    assert!(link.starts_with("https://desk.example.org/desk/join/"), "{link}");
    let link = place.done(&["desk-invite", "moderator", "--name", "ada"]);
    assert!(link.starts_with("/desk/join/"), "{link}");
}

#[test]
fn an_origin_that_browsers_refuse_is_refused_at_the_start() {
    let place = Place::new();
    place.configure("[desk]\norigin = \"http://desk.example.org\"\n");
    let mut serve = std::process::Command::new(process::program());
    serve.arg("serve").arg("--data").arg(place.data()).arg("--keys").arg(place.keys());
    let output = serve.args(["--listen", "127.0.0.1:0", "--config"]).arg(place.path("config.toml")).output();
    let output = output.expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("desk's origin"), "{said}");
}
