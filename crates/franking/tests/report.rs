//! What a report proves, fault by fault.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod scene;

use scene::{Claim, DAY, START, Said, Server, Stamped};
use zegel_franking::report::Link;
use zegel_franking::{
    CONTEXT_LEN, Context, ContextError, Fault, REPORTING_WINDOW_MS, StampKey, Verdict, stamp,
};

use Verdict::{Proven, Unproven, Withheld};

fn says(salt: u8, bytes: &[u8]) -> Option<Said> {
    Some(([salt; 16], bytes.to_vec()))
}

/// Two people talk in room 1: messages at places 1, 2, 3 and 5, a commit at place 4.
fn talk() -> (Server, Vec<Stamped>) {
    let mut server = Server::new();
    let said = [(7, says(1, b"one")), (8, says(2, b"two")), (7, says(3, b"three")), (8, None)];
    let mut stamped = Vec::new();
    for (sender, said) in said.into_iter().chain([(7, says(5, b"five"))]) {
        server.wait(1000);
        stamped.push(server.send(1, sender, said));
    }
    (server, stamped)
}

fn verdicts(links: &[Link]) -> Vec<Verdict> {
    links.iter().map(|link| link.verdict).collect()
}

/// The verdict on the middle one of three, where the others must be proven.
fn between(change: impl FnOnce(&mut Claim)) -> Verdict {
    let (server, stamped) = talk();
    let mut run: Vec<Claim> = stamped[..3].iter().map(Stamped::disclosed).collect();
    change(&mut run[1]);
    let links = server.check(&run);
    let [before, middle, after] = verdicts(&links).try_into().unwrap();
    assert_eq!((before, after), (Proven, Proven), "its fault is its own");
    let ours = !matches!(middle, Unproven(Fault::Context(_) | Fault::Stamp | Fault::KeyGone));
    assert_eq!(links[1].context.is_some(), ours, "only what we stamped is vouched for");
    assert_eq!(links[2].gap, u64::from(!ours), "what is not ours fills no gap");
    middle
}

#[test]
fn a_whole_run_is_proven_and_says_who_and_where() {
    let (server, stamped) = talk();
    let mut run: Vec<Claim> = stamped.iter().map(Stamped::disclosed).collect();
    run[2].content = None;
    let links = server.check(&run);
    assert_eq!(verdicts(&links), [Proven, Proven, Withheld, Withheld, Proven]);
    for (link, stamped) in links.iter().zip(&stamped) {
        assert_eq!((link.context.as_ref(), link.gap), (Some(&stamped.context), 0));
    }
    assert!(server.check(&[]).is_empty());
}

#[test]
fn what_is_left_out_is_counted() {
    let (server, stamped) = talk();
    let links = server.check(&[stamped[0].withheld(), stamped[4].disclosed()]);
    assert_eq!(verdicts(&links), [Withheld, Proven]);
    assert_eq!((links[0].gap, links[1].gap), (0, 3), "what was before the run is not its matter");
}

#[test]
fn a_context_must_be_readable() {
    assert_eq!(between(|_| {}), Proven);
    let short = ContextError::Length { got: CONTEXT_LEN - 1 };
    assert_eq!(between(|claim| claim.context.truncate(CONTEXT_LEN - 1)), Unproven(Fault::Context(short)));
    let version = Fault::Context(ContextError::Version(2));
    assert_eq!(between(|claim| claim.context[1] = 2), Unproven(version));
    let nothing = Fault::Context(ContextError::Length { got: 0 });
    assert_eq!(between(|claim| claim.context.clear()), Unproven(nothing));
}

#[test]
fn a_stamp_must_be_ours() {
    assert_eq!(between(|claim| claim.stamp[31] ^= 1), Unproven(Fault::Stamp));
    assert_eq!(between(|claim| claim.stamp.truncate(31)), Unproven(Fault::Stamp));
    assert_eq!(between(|claim| claim.stamp.push(0)), Unproven(Fault::Stamp));
    assert_eq!(between(|claim| claim.stamp.clear()), Unproven(Fault::Stamp));
    let foreign = |claim: &mut Claim| {
        let context = Context::from_bytes(&claim.context).unwrap();
        claim.stamp = stamp(&StampKey::new([77; 32]), &context).to_vec();
    };
    assert_eq!(between(foreign), Unproven(Fault::Stamp));
    // Behind version and key id, every byte is stamped: sender, device, room, time and all.
    for at in 6..CONTEXT_LEN {
        assert_eq!(between(|claim| claim.context[at] ^= 1), Unproven(Fault::Stamp), "byte {at}");
    }
    let withheld = |claim: &mut Claim| (claim.stamp[0], claim.content) = (!claim.stamp[0], None);
    assert_eq!(between(withheld), Unproven(Fault::Stamp), "what is not ours is not even withheld");
}

#[test]
fn a_key_must_be_there() {
    assert_eq!(between(|claim| claim.context[5] = 9), Unproven(Fault::KeyGone));
    let (mut server, stamped) = talk();
    server.rotate();
    let run = [stamped[4].disclosed()];
    assert_eq!(verdicts(&server.check(&run)), [Proven], "a retired key still proves");
    server.wait(REPORTING_WINDOW_MS + 1);
    assert_eq!(verdicts(&server.check(&run)), [Unproven(Fault::KeyGone)]);
}

#[test]
fn a_report_comes_in_time_or_not_at_all() {
    let (mut server, stamped) = talk();
    let run = [stamped[0].disclosed(), stamped[1].withheld(), stamped[2].disclosed()];
    server.now_ms = START + 1000 + REPORTING_WINDOW_MS;
    assert_eq!(verdicts(&server.check(&run)), [Proven, Withheld, Proven], "the last moment counts");
    server.now_ms += 1001;
    let links = server.check(&run);
    let old = Unproven(Fault::TooOld);
    assert_eq!(verdicts(&links), [old, old, Proven], "also what is withheld");
    assert!(links[0].context.is_some(), "it is ours nevertheless, and keeps its place");
    assert_eq!(links[2].gap, 0);
}

#[test]
fn a_clock_that_went_back_hides_nothing() {
    let (mut server, stamped) = talk();
    server.now_ms = 0;
    assert_eq!(verdicts(&server.check(&[stamped[0].disclosed()])), [Proven]);
    server.now_ms = u64::MAX;
    let forever = Context { accepted_ms: u64::MAX, ..stamped[0].context.clone() };
    let forever = server.stamp(forever, stamped[0].said.clone());
    assert_eq!(verdicts(&server.check(&[forever.disclosed()])), [Proven], "no number overflows");
}

#[test]
fn a_content_must_be_the_one_that_was_committed_to() {
    let content = Unproven(Fault::Content);
    assert_eq!(between(|claim| claim.content = says(2, b"tw0")), content);
    assert_eq!(between(|claim| claim.content = says(9, b"two")), content, "another salt");
    assert_eq!(between(|claim| claim.content = says(1, b"one")), content, "that of its neighbour");
    assert_eq!(between(|claim| claim.content = says(2, b"")), content);
    assert_eq!(between(|claim| claim.content = says(2, b"two\0")), content);
    assert_eq!(between(|claim| claim.content = None), Withheld);
}

#[test]
fn a_commit_says_nothing() {
    let (server, stamped) = talk();
    let invented = Claim { content: says(4, b"four"), ..stamped[3].withheld() };
    let links = server.check(&[stamped[2].disclosed(), invented, stamped[4].disclosed()]);
    assert_eq!(verdicts(&links), [Proven, Unproven(Fault::Nothing), Proven]);
}

#[test]
fn nothing_is_spliced_in_from_another_room() {
    let (mut server, stamped) = talk();
    let elsewhere = [server.send(2, 7, says(6, b"there")), server.send(2, 7, says(7, b"too"))];
    let [there, too] = elsewhere.each_ref().map(Stamped::disclosed);
    let [one, two] = [stamped[0].disclosed(), stamped[1].disclosed()];
    let links = server.check(&[one.clone(), too.clone(), two.clone(), there.clone()]);
    let other = Unproven(Fault::OtherRoom);
    assert_eq!(verdicts(&links), [Proven, other, Proven, other]);
    assert!(links.iter().all(|link| link.gap == 0), "it is no part of the order");
    assert_eq!(
        verdicts(&server.check(&[there, one, too])),
        [Proven, other, Proven],
        "the first names the room"
    );
    let forged = Claim { stamp: vec![0; 32], ..elsewhere[0].disclosed() };
    assert_eq!(verdicts(&server.check(&[forged, two]))[1], Proven, "but only if it is ours");
}

#[test]
fn nothing_is_moved_or_shown_twice() {
    let (server, stamped) = talk();
    let [one, two, three] = [0, 1, 2].map(|at| stamped[at].disclosed());
    let place = Unproven(Fault::Place);
    let check = |run: &[&Claim]| {
        verdicts(&server.check(&run.iter().map(|claim| (*claim).clone()).collect::<Vec<_>>()))
    };
    assert_eq!(check(&[&one, &one, &two]), [Proven, place, Proven]);
    assert_eq!(check(&[&one, &three, &two]), [Proven, Proven, place]);
    assert_eq!(check(&[&three, &one, &two]), [Proven, place, place]);
    assert_eq!(check(&[&one, &two, &one, &two, &three]), [Proven, Proven, place, place, Proven]);
}

#[test]
fn two_pasts_are_not_mixed() {
    let (mut server, stamped) = talk();
    // The server's disk was restored from an older copy: places 2 and 3 are given again.
    server.stamped.truncate(1);
    let again = [server.send(1, 8, says(12, b"zwei")), server.send(1, 7, says(13, b"drei"))];
    let [one, two] = [stamped[0].disclosed(), stamped[1].disclosed()];
    let [second, third] = again.each_ref().map(Stamped::disclosed);
    let fork = Unproven(Fault::Fork);
    assert_eq!(verdicts(&server.check(&[one.clone(), second.clone(), third.clone()])), [Proven; 3]);
    assert_eq!(verdicts(&server.check(&[one.clone(), two.clone(), second])), [Proven, Proven, fork]);
    assert_eq!(verdicts(&server.check(&[one, two, third])), [Proven, Proven, fork]);
}

#[test]
fn the_last_number_there_is_is_shown_once() {
    let server = Server::new();
    let (_, stamped) = talk();
    let last = Context { server_seq: u64::MAX, ..stamped[0].context.clone() };
    let last = server.stamp(last, stamped[0].said.clone()).disclosed();
    let links = server.check(&[stamped[0].disclosed(), last.clone(), last]);
    assert_eq!(verdicts(&links)[..2], [Proven, Proven]);
    assert!(matches!(links[2].verdict, Unproven(_)));
    assert_eq!(links[1].gap, u64::MAX - 2);
}

#[test]
fn every_fault_is_one_plain_line() {
    let faults = [
        Fault::Context(ContextError::Version(2)),
        Fault::Stamp,
        Fault::KeyGone,
        Fault::TooOld,
        Fault::Content,
        Fault::Nothing,
        Fault::OtherRoom,
        Fault::Place,
        Fault::Fork,
    ];
    let texts = faults.map(|fault| fault.to_string());
    assert!(texts.iter().all(|text| !text.is_empty() && !text.contains('\n')), "{texts:?}");
    let different: std::collections::BTreeSet<&String> = texts.iter().collect();
    assert_eq!(different.len(), faults.len());
}

/// The run of `golden/report-v1.txt`, which was made by another program.
#[test]
fn the_golden_run() {
    let mut server = Server::new();
    server.rotate();
    server.now_ms = START + 90 * DAY;
    let lines = include_str!("golden/report-v1.txt").lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<[&str; 6]> =
        lines.map(|line| line.split("; ").collect::<Vec<_>>().try_into().unwrap()).collect();
    let bytes = |hex: &str| hex::decode(hex).unwrap();
    let claim = |[_, _, context, stamp, salt, said]: &[&str; 6]| Claim {
        context: bytes(context),
        stamp: bytes(stamp),
        content: (*salt != "-").then(|| (bytes(salt).try_into().unwrap(), bytes(said))),
    };
    let links = server.check(&rows.iter().map(claim).collect::<Vec<_>>());
    assert_eq!((links.len(), rows.len()), (15, 15));
    for (n, (link, [verdict, gap, ..])) in links.iter().zip(&rows).enumerate() {
        let found = match link.verdict {
            Proven => "proven",
            Withheld => "withheld",
            Unproven(Fault::Context(_)) => "context",
            Unproven(Fault::Stamp) => "stamp",
            Unproven(Fault::KeyGone) => "key gone",
            Unproven(Fault::TooOld) => "too old",
            Unproven(Fault::Content) => "content",
            Unproven(Fault::Nothing) => "nothing",
            Unproven(Fault::OtherRoom) => "other room",
            Unproven(Fault::Place) => "place",
            Unproven(Fault::Fork) => "fork",
        };
        assert_eq!((found, link.gap.to_string().as_str()), (*verdict, *gap), "link {n}");
    }
}
