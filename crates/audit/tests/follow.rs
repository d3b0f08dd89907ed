//! Following an honest service: far, through crashes, and what is not a lie.

mod scene;

use std::{fs, time::Duration};

use axum::http::StatusCode;
use scene::{DOMAIN, Desk, House, Service, damage};

#[test]
fn two_thousand_epochs() {
    let mut house = House::new();
    house.grow(2000);
    let service = Service::of(&house);
    let desk = Desk::new();
    let begun = std::time::Instant::now();
    let said = desk.once(&service.url, &[]).fine();
    println!("2000 epochs followed in {:?}", begun.elapsed());
    assert_eq!(
        said.out,
        format!(
            "{DOMAIN}: 2000 new epochs checked; nothing was removed or rewritten\nepoch 2000 has root {}\n",
            hex::encode(house.roots[2000].root.hash())
        )
    );
    assert_eq!(said.err, "");
    // Nothing is asked for twice.
    let asked = service.asked();
    assert_eq!(asked, 2 * 2000 + 2);
    desk.once(&service.url, &[]).fine();
    assert_eq!(service.asked(), asked + 1);
}

/// A week with an epoch every ten seconds: one change each, 500 at once every hour. `cargo xtask audit-week`.
#[test]
#[ignore = "takes minutes; run by `cargo xtask audit-week`"]
fn a_week() {
    const EPOCHS: u64 = 7 * 24 * 360;
    let mut house = House::new();
    let begun = std::time::Instant::now();
    for epoch in 1..=EPOCHS {
        let people = if epoch % 360 == 0 { epoch..epoch + 500 } else { epoch..epoch + 1 };
        house.publish(people, epoch);
    }
    println!("{EPOCHS} epochs published in {:.1?}", begun.elapsed());
    let service = Service::of(&house);
    let desk = Desk::new();
    let begun = std::time::Instant::now();
    let daemon = desk.daemon(&service.url, &[]);
    while daemon.metric("epoch") < EPOCHS as f64 {
        std::thread::sleep(Duration::from_millis(200));
    }
    let (spent, memory) = (begun.elapsed(), daemon.peak_memory());
    let kept: u64 = ["state", "state.roots"]
        .map(|name| fs::metadata(desk.path(name)).expect("a file").len())
        .iter()
        .sum();
    println!(
        "followed in {spent:.1?}: {:.0} epochs/s, {:.1} MB of memory at the most, {:.1} MB kept",
        EPOCHS as f64 / spent.as_secs_f64(),
        memory as f64 / 1e6,
        kept as f64 / 1e6
    );
    let proofs: usize = house.proofs.iter().map(Vec::len).sum();
    println!(
        "{:.1} MB of proofs fetched, {:.0} bytes an epoch",
        proofs as f64 / 1e6,
        proofs as f64 / EPOCHS as f64
    );
    assert_eq!(daemon.metric("lies_total"), 0.0);
}

#[test]
fn a_kill_at_any_moment_loses_only_the_last_steps() {
    let mut house = House::new();
    house.grow(600);
    let service = Service::of(&house);
    let desk = Desk::new();
    let mut far = 0.0;
    let mut kills = 0;
    // As soon as it is further than before, and before it is there.
    while far < 400.0 {
        let daemon = desk.daemon(&service.url, &[]);
        daemon.waits_for("epoch", far + 1.0);
        let epoch = daemon.metric("epoch");
        assert!(epoch < 600.0, "it was too fast to be killed on the way");
        daemon.kill();
        far = epoch;
        kills += 1;
    }
    assert!(kills >= 2, "killed {kills} times");
    // At each start one question for the newest root, and at most a window that was not saved is asked for again.
    assert!(service.asked() < 2 * 600 + kills * (1 + 2 * 2 * 64), "it began anew");
    // A half-written new state, and roots that the state does not know of yet, are no harm.
    fs::write(desk.path("state.new"), b"zegel-audit-st").expect("written");
    let mut roots = fs::read(desk.path("state.roots")).expect("roots");
    roots.extend([3; 70]);
    fs::write(desk.path("state.roots"), roots).expect("written");
    let said = desk.once(&service.url, &[]).fine();
    assert!(said.out.contains(&format!("epoch 600 has root {}", hex::encode(house.roots[600].root.hash()))));
    let kept = fs::metadata(desk.path("state.roots")).expect("roots").len();
    assert_eq!(kept, 16 + 601 * 108);
}

#[test]
fn a_damaged_or_foreign_state_is_refused() {
    let mut house = House::new();
    house.grow(3);
    let service = Service::of(&house);
    let desk = Desk::new();
    desk.once(&service.url, &[]).fine();
    let whole = fs::read(desk.state()).expect("a state");
    assert_eq!(whole[18], b'1');
    for at in [0, 3, 18, 20, 60, whole.len() / 2, whole.len() - 1] {
        damage(&desk.state(), at);
        let said = desk.once(&service.url, &[]);
        assert_eq!(said.code, Some(1), "byte {at}: {said:?}");
        // Byte 18 is the version: it tells of a newer one, and not of damage.
        let why = if at == 18 { "has version 0 and this build" } else { "it is damaged; try a copy of it" };
        assert!(said.err.contains(why), "byte {at}: {said:?}");
        fs::write(desk.state(), &whole).expect("written");
    }
    let newer = String::from_utf8(whole.clone()).expect("text").replacen("state 1", "state 2", 1);
    fs::write(desk.state(), newer).expect("written");
    desk.once(&service.url, &[]).failed("has version 2 and this build knows 1; try a newer zegel-audit");
    fs::write(desk.state(), &whole).expect("written");
    // The newest root, then an earlier one that the next root names: our own disk's fault, not the service's.
    damage(&desk.path("state.roots"), 16 + 3 * 108 + 7);
    desk.once(&service.url, &[]).failed("state.roots: it is damaged");
    damage(&desk.path("state.roots"), 16 + 3 * 108 + 7);
    damage(&desk.path("state.roots"), 16 + 7);
    house.grow(1);
    service.show(&house);
    desk.once(&service.url, &[]).failed("state.roots: it is damaged");
    damage(&desk.path("state.roots"), 16 + 7);
    desk.once(&service.url, &[]).fine();
    // Another domain, and another service.
    desk.once(&service.url, &["--domain", "other.example"])
        .failed("it is about another directory: zegel.example, followed at http://");
    let mut other = House::new();
    other.key = zegel_directory::SignerKey::first(zegel_identity::SigningKey::from_bytes(&[8; 32]));
    other.grow(9);
    desk.once(&Service::of(&other).url, &[]).failed("it is about another directory");
    // The same directory at another URL is followed on.
    house.grow(1);
    let said = desk.once(&Service::of(&house).url, &[]).fine();
    assert!(said.out.contains(": 1 new epochs checked"), "{said:?}");
}

#[test]
fn one_state_has_one_auditor() {
    let house = House::new();
    let service = Service::of(&house);
    let desk = Desk::new();
    let daemon = desk.daemon(&service.url, &[]);
    daemon.reaches(0);
    desk.once(&service.url, &[]).failed("another zegel-audit follows with this state");
}

#[test]
fn a_service_that_is_down_is_no_liar() {
    let mut house = House::new();
    house.grow(2);
    let service = Service::of(&house);
    let desk = Desk::new();
    desk.once("ftp://x", &[]).failed("is no URL of a server; try one like https://chat.example.org");
    desk.once(&Service::start().url, &[]).failed("there is no directory");
    desk.once(&service.url, &["--domain", "other.example"]).failed("it is the directory of zegel.example");
    let daemon = desk.daemon(&service.url, &[]);
    daemon.reaches(2);
    assert_eq!(daemon.get("/healthz"), (200, "ok\n".into()));
    service.broken(Some(StatusCode::SERVICE_UNAVAILABLE));
    daemon.waits_for("errors_total", 1.0);
    house.grow(1);
    service.show(&house);
    service.broken(None);
    daemon.reaches(3);
    assert_eq!((daemon.metric("lag_epochs"), daemon.metric("lies_total")), (0.0, 0.0));
    daemon.kill();
    let url = service.stop();
    desk.once(&url, &[]).failed("try again later");
}

#[test]
fn a_daemon_stops_at_the_first_lie() {
    let mut house = House::new();
    house.grow(2);
    let service = Service::of(&house);
    let desk = Desk::new();
    let daemon = desk.daemon(&service.url, &[]);
    daemon.reaches(2);
    service.newest(&house, 1);
    daemon.wait().caught("showed epoch 1 after epoch 2: it went back");
    // The state knows of it, whatever the service shows now.
    service.newest(&house, 2);
    let daemon = desk.daemon(&service.url, &[]);
    daemon.reaches(2);
    assert_eq!(daemon.metric("lies_total"), 1.0);
}

/// Eight proofs that would unpack to a gigabyte each, and that could all be held at once.
#[cfg(target_os = "linux")]
#[test]
fn a_bomb_is_refused_in_little_memory() {
    let mut house = House::new();
    house.grow(8);
    let service = Service::of(&house);
    for epoch in 1..=8 {
        service.put(&house.proof_path(epoch), [10, 0].repeat(8 << 20));
    }
    let desk = Desk::new();
    let daemon = desk.daemon(&service.url, &["--patience", "600"]);
    daemon.waits_for("errors_total", 2.0);
    let peak = daemon.peak_memory();
    println!("{:.1} MB at the most", peak as f64 / 1e6);
    assert!(peak < 150 << 20, "{peak} bytes");
}
