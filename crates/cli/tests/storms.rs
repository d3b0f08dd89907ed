//! The command killed at any moment, and a clock that is wrong by a day.

mod scene;

use std::process::{Command, Stdio};

use scene::{Person, Scene, befriend, pause};

#[test]
fn commands_killed_at_any_moment_lose_and_double_nothing() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    let mut accepted = Vec::new();
    for n in 0..24u64 {
        let text = format!("message {n}");
        let mut sending =
            bob.command(&["send", "alice", &text]).stdout(Stdio::piped()).spawn().expect("runs");
        let mut reading = alice.command(&["read"]).stdout(Stdio::null()).spawn().expect("runs");
        // Every third may end; the others are killed at moments spread over their life.
        if n % 3 != 0 {
            pause(n * 7 % 130);
            sending.kill().expect("killed");
        }
        let output = sending.wait_with_output().expect("ended");
        if !output.stdout.is_empty() {
            accepted.push(text);
        }
        reading.kill().expect("killed");
        reading.wait().expect("ended");
    }
    assert!(accepted.len() >= 8, "those that were let run were accepted");
    bob.does(&["sync"]);
    alice.does(&["sync"]);
    let seen: Vec<String> = alice.reads("bob").into_iter().filter(|line| line.contains("message ")).collect();
    let number =
        |line: &String| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number");
    let numbers: Vec<u64> = seen.iter().map(number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "once each and in order: {numbers:?}");
    for text in &accepted {
        assert!(numbers.contains(&number(text)), "{text} was accepted and is not shown");
    }
}

/// Runs a command of somebody whose clock is off.
fn at(clock: &str, person: &Person, words: &[&str]) -> String {
    let plain = person.command(words);
    let mut command = Command::new("faketime");
    command.args(["-f", clock]).arg(plain.get_program()).args(plain.get_args()).stdin(Stdio::null());
    let output = command.output().expect("faketime runs: `cargo xtask test` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} at {clock}: {words:?}: {said}", person.handle);
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_clock_wrong_by_a_day_stops_nobody() {
    let scene = Scene::new();
    let carol = scene.adult("carol");
    for clock in ["+1d", "-1d"] {
        let dave = scene.newcomer(if clock == "+1d" { "future" } else { "past" });
        let dave_does = |words: &[&str]| at(clock, &dave, words);
        dave_does(&["register", &dave.handle, "--server", scene.url(), "--age", "adult"]);
        dave_does(&["send", "carol", "what time is it?"]);
        carol.accepts(&dave.handle);
        carol.sends("late").to(&dave.handle);
        dave_does(&["sync"]);
        dave_does(&["send", "carol", "thank you"]);
        carol.waits_for(&format!("{}: thank you", dave.handle));
        assert!(dave_does(&["read"]).contains("late"));
        // They found and join groups too.
        let group = format!("{} group", dave.handle);
        dave_does(&["group", "create", &group, "carol"]);
        carol.does(&["sync"]);
        carol.sends("I am in").to(&group);
        assert!(dave_does(&["read"]).contains("I am in"));
        let lines = dave_does(&["--json", "read"]);
        assert!(!lines.contains("\"hidden\"") && !lines.contains("\"gap\""), "{lines}");
    }
}
