//! What a report discloses, and that nothing which could be reported goes away too early.

use zegel_cases::Category;
use zegel_content::Content;
use zegel_franking::{Context, ZERO_TAG, verify_tag};
use zegel_proto::{
    Code, GroupId,
    v1::{self, client_frame::Body as Call},
};

use super::{
    office::{Office, Person, refusal},
    world::{ALICE, BOB, CAROL, World},
};
use crate::{
    Error,
    core::Subject,
    flow,
    view::{Disclosure, Draft},
};

fn say(world: &mut World, who: usize, group: &GroupId, text: &str) {
    let letter = world.write(who, group, text);
    world.deliver(&letter);
}

fn draft(world: &World, who: usize, about: usize, last: usize) -> Draft {
    world.at(who).draft(Subject::Person(world.account(about)), last).expect("a draft")
}

/// What somebody's words would disclose.
fn try_words(world: &World, who: usize, words: &[&str]) -> Result<Draft, Error> {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let core = world.at(who);
    let subject = core.subject(&words)?.expect("somebody known");
    core.draft(subject, 5)
}

fn refused(result: Result<Draft, Error>, why: &str) {
    let error = result.err().expect("a refusal").to_string();
    assert!(error.contains(why), "{error}");
}

fn texts(draft: &Draft) -> Vec<&str> {
    draft.messages.iter().map(|message| message.text.as_str()).collect()
}

fn contexts(draft: &Draft) -> Vec<(Context, bool)> {
    let read = |link: &v1::Disclosed| {
        let stamped = link.stamped.clone().expect("a stamp");
        assert_eq!(stamped.stamp.len(), 32);
        (Context::from_bytes(&stamped.context).expect("a context"), !link.content.is_empty())
    };
    draft.report.run.iter().map(read).collect()
}

#[test]
fn a_run_has_every_place_and_the_content_of_what_was_picked_alone() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    say(&mut world, BOB, &group, "one");
    say(&mut world, ALICE, &group, "mine");
    let chat = world.chat(ALICE, &group);
    world.core(ALICE).want_rename(&chat, "circle").expect("renamed");
    world.flush(ALICE);
    say(&mut world, BOB, &group, "two");
    let chat = world.chat(CAROL, &group);
    world.core(CAROL).want_leave(&chat).expect("said");
    world.flush(CAROL);
    say(&mut world, BOB, &group, "three");

    let made = draft(&world, ALICE, BOB, 5);
    assert_eq!(
        (made.about.as_str(), made.group.as_str(), made.to.as_str()),
        ("bob", "circle", "hostile.example")
    );
    assert_eq!(texts(&made), ["one", "two", "three"]);
    let before: Vec<_> = made.messages.iter().map(|it| (it.withheld_before, it.missing_before)).collect();
    // Her own words, and Carol's goodbye; the commits say nothing, and are no gap either.
    assert_eq!((before[0], before[1].1, before[2].1), ((0, 0), 0, 0));
    assert_eq!((before[1].0, before[2].0, made.withheld), (1, 1, 2));

    let bob = world.account(BOB);
    let run = contexts(&made);
    let said = run.iter().filter(|(context, _)| context.franking_tag != ZERO_TAG);
    assert_eq!(said.count(), made.messages.len() + made.withheld);
    assert!(run.len() > made.messages.len() + made.withheld);
    for pair in run.windows(2) {
        assert_eq!(pair[1].0.server_seq, pair[0].0.server_seq + 1);
        assert_eq!(pair[1].0.prev_stamp_hash, pair[0].0.hash());
    }
    let picked: Vec<bool> = run.iter().map(|(context, _)| context.sender_account == bob.0).collect();
    assert_eq!(picked, run.iter().map(|(_, disclosed)| *disclosed).collect::<Vec<_>>());
    for link in made.report.run.iter().filter(|link| !link.content.is_empty()) {
        let context = link.stamped.as_ref().expect("a stamp").context.clone();
        let tag = Context::from_bytes(&context).expect("a context").franking_tag;
        let salt = Content::decode(&link.content).expect("a content").salt;
        assert!(verify_tag(&salt, &link.content, &tag));
    }
}

#[test]
fn a_gap_is_a_gap_and_a_number_is_a_number() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    say(&mut world, BOB, &group, "one");
    let lost = world.write(BOB, &group, "lost");
    world.deliver_but(&lost, &[ALICE]);
    say(&mut world, BOB, &group, "two");
    say(&mut world, ALICE, &group, "mine");

    let made = draft(&world, ALICE, BOB, 2);
    assert_eq!(texts(&made), ["one", "two"]);
    assert_eq!((made.withheld, made.messages[1].missing_before), (0, 1));
    assert_eq!(texts(&draft(&world, ALICE, BOB, 1)), ["two"]);
    // The last of anybody, her own too.
    let all = world.at(ALICE).draft(Subject::Group(Box::new(world.chat(ALICE, &group))), 2).expect("a draft");
    assert_eq!((all.about.as_str(), texts(&all)), ("", vec!["two", "mine"]));
    assert!(all.report.about.is_empty() && !all.report.room.is_empty());
}

#[test]
fn who_declines_or_blocks_can_still_report() {
    let mut world = World::new();
    let group = world.unaccepted_group("trap", &[BOB]);
    say(&mut world, ALICE, &group, "come here");
    let request = world.chat(BOB, &group);
    world.core(BOB).decline(&request).expect("declined");
    world.restart(BOB);
    assert_eq!(texts(&draft(&world, BOB, ALICE, 5)), ["come here"]);

    let chat = world.direct(CAROL, BOB);
    say(&mut world, CAROL, &chat, "pay up");
    let carol = world.account(CAROL);
    let contact = world.at(BOB).db.contact(&carol).expect("the database").expect("known");
    world.core(BOB).block(&contact).expect("blocked");
    let made = draft(&world, BOB, CAROL, 5);
    assert_eq!((made.group.as_str(), texts(&made)), ("", vec!["hello", "pay up"]));
}

#[test]
fn messages_are_picked_by_the_beginning_of_their_ids() {
    let mut world = World::new();
    let (club, chat) = (world.group("club", &[BOB, CAROL]), world.direct(ALICE, BOB));
    for (who, text) in [(BOB, "one"), (ALICE, "mine"), (CAROL, "two"), (BOB, "three")] {
        say(&mut world, who, &club, text);
    }
    say(&mut world, BOB, &chat, "apart");
    say(&mut world, ALICE, &chat, "mine too");
    let items = world.items(ALICE);
    let id = |text: &str| {
        let item = items.iter().find(|item| item.text == text).expect("a line");
        hex::encode(item.message_id.as_ref().expect("a message"))
    };
    let (one, two, three) = (id("one"), id("two"), id("three"));
    let made = try_words(&world, ALICE, &[&three[..12], &one, &one.to_uppercase()]).expect("a draft");
    assert_eq!((made.about.as_str(), texts(&made), made.withheld), ("bob", vec!["one", "three"], 2));
    let [first, last] = &made.messages[..] else { panic!("{:?}", made.messages) };
    assert_eq!((first.withheld_before, last.withheld_before), (0, 2));
    // Her own words as context; several others are the group.
    assert_eq!(try_words(&world, ALICE, &[&id("mine"), &two]).expect("a draft").about, "carol");
    let both = try_words(&world, ALICE, &[&one, &two]).expect("a draft");
    assert_eq!((both.about.as_str(), both.group.as_str()), ("", "club"));
    assert_eq!(try_words(&world, ALICE, &[&id("apart")]).expect("a draft").about, "bob");

    refused(try_words(&world, ALICE, &[&one, &id("apart")]), "from different conversations");
    refused(try_words(&world, ALICE, &[&id("mine")]), "all your own");
    refused(try_words(&world, ALICE, &[&id("mine too")]), "all your own");
    refused(try_words(&world, ALICE, &[&one, "01"]), "no message id");
    refused(try_words(&world, ALICE, &[&one, &"0123456789ab".repeat(2)]), "there is no message");
    refused(try_words(&world, ALICE, &["alice"]), "that is you");
    // Who is known and wrote nothing can be reported all the same.
    let made = try_words(&world, ALICE, &["mallory"]).expect("a draft");
    assert_eq!((made.about.as_str(), made.messages.len(), made.report.run.len()), ("mallory", 0, 0));
}

#[test]
fn a_long_run_leaves_out_the_oldest_of_what_is_withheld() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    say(&mut world, BOB, &group, "first");
    for n in 0..300 {
        say(&mut world, ALICE, &group, &format!("{n}"));
    }
    say(&mut world, BOB, &group, "last");
    let made = draft(&world, ALICE, BOB, 5);
    assert_eq!((made.report.run.len(), made.withheld), (256, 254));
    let [_, last] = &made.messages[..] else { panic!("{:?}", made.messages) };
    let Disclosure { withheld_before, missing_before, .. } = last;
    assert_eq!((*withheld_before, *missing_before), (254, 46));
}

#[test]
fn a_draft_tells_all_that_the_service_will_see() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    say(&mut world, BOB, &group, "one");
    say(&mut world, ALICE, &group, "mine");
    let chat = world.chat(ALICE, &group);
    world.core(ALICE).want_rename(&chat, "circle").expect("renamed");
    world.flush(ALICE);
    say(&mut world, BOB, &group, "two");
    let made = draft(&world, ALICE, BOB, 5);
    let named = &made.messages[1].named_before;
    assert_eq!(
        named.iter().map(|it| (it.from.as_str(), it.said)).collect::<Vec<_>>(),
        [("alice", true), ("alice", false)]
    );
    let stated: Vec<u64> = contexts(&made)[1..3].iter().map(|(context, _)| context.accepted_ms).collect();
    assert_eq!(named.iter().map(|it| it.accepted_at).collect::<Vec<_>>(), stated);
    let lengths = made.report.run.iter().map(|link| link.content.len()).filter(|length| *length > 0);
    assert_eq!(made.messages.iter().map(|it| it.bytes).collect::<Vec<_>>(), lengths.collect::<Vec<_>>());
    assert!(made.messages.iter().all(|it| it.whole));
    assert_eq!(made.elsewhere, 0);

    let other = world.direct(BOB, ALICE);
    say(&mut world, BOB, &other, "apart");
    let made = draft(&world, ALICE, BOB, 5);
    assert_eq!((made.group.as_str(), made.elsewhere), ("", 1));
    // Whoever names messages knows from where.
    let ids: Vec<_> = made.messages.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(try_words(&world, ALICE, &ids).expect("a draft").elsewhere, 0);
}

#[tokio::test]
async fn a_report_that_finds_nobody_is_kept() {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    let made = Draft {
        to: "hostile.example".into(),
        about: "bob".into(),
        group: String::new(),
        messages: Vec::new(),
        withheld: 0,
        elsewhere: 0,
        report: v1::Report::default(),
    };
    let begin = |note: &str| alice.shared.core().begin_report(&made, Category::Threats, note).expect("begun");
    let kept = || alice.shared.core().db.kept_reports().expect("the database");
    let report = begin("look");
    let said = flow::report(&alice.shared, &office, report.clone()).await.expect_err("a refusal");
    assert!(matches!(said, Error::Refused { code: Code::NotFound, .. }), "{said}");
    assert_eq!(kept(), [("bob".to_owned(), report)]);
    // What can never be taken is not.
    let other = begin("look!");
    office.answers(Some(|call| {
        matches!(call, Call::Report(_)).then(|| refusal("reporting", Code::BadRequest))
    }));
    assert!(flow::report(&alice.shared, &office, other).await.is_err());
    assert_eq!(kept().len(), 1);
}

#[test]
fn a_report_without_an_answer_is_the_same_report_again() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    say(&mut world, BOB, &group, "one");
    let made = draft(&world, ALICE, BOB, 5);
    let begin = |world: &mut World, made: &Draft, note: &str| {
        world.core(ALICE).begin_report(made, Category::Threats, note).expect("begun")
    };
    let first = begin(&mut world, &made, "look");
    world.restart(ALICE);
    assert_eq!(begin(&mut world, &made, "look"), first);
    let other = begin(&mut world, &made, "look!");
    assert_ne!(other.id, first.id);

    let state = v1::ReportState { id: first.id.clone(), case_number: "K".into(), ..Default::default() };
    world.core(ALICE).step(|core| core.db.report_answered(&state)).expect("kept");
    let known = world.at(ALICE).db.reports().expect("the database");
    assert_eq!(known, [("bob".to_owned(), state)]);
    assert_ne!(begin(&mut world, &made, "look").id, first.id);
    let long = world.core(ALICE).begin_report(&made, Category::Threats, &"x".repeat(2001));
    assert!(long.expect_err("too long").to_string().contains("2000"));
}
