//! Age bands and guardians: who may become older, by whose word, and what nobody else learns of it.

mod service_help;

use service_help::*;
use zegel_proto::{
    Code,
    v1::{self, AgeBand, client_frame as ask},
};
use zegel_safety::Until;
use zegel_server::{
    config::Config,
    store::{AccountState, Invite},
};

use AgeBand::{Adult, Child, Teen, Unknown};

const SECRET: [u8; 32] = [7; 32];
const NEXT: [u8; 32] = [8; 32];

fn code(answer: Answer) -> Option<Code> {
    answer.err().map(|error| Code::from_wire(error.code))
}

async fn band(world: &World, person: &Person) -> AgeBand {
    world.account(person.account).await.age_band
}

async fn uses(world: &World, invite: &str) -> u32 {
    let hash = zegel_proto::token_hash(invite.as_bytes());
    world.read(move |tx| tx.invite(&hash)).await.map_or(0, |invite| invite.uses)
}

#[tokio::test]
async fn one_is_told_ones_own_age_and_guardian() {
    let world = World::new().await;
    let mut cody = world.person("cody", Child).await;
    cody.set_guardian(Some(SECRET), None).await.expect("noted");
    for (appeal_only, mut session) in [(false, world.session().await), (true, world.session().await)] {
        std::mem::swap(&mut cody.session, &mut session);
        let told = cody.authenticate(appeal_only).await.expect("connected");
        assert_eq!((told.age_band(), told.guarded), (Child, true));
    }
    cody.session = world.session().await;
    cody.connect().await.expect("connected");
    cody.is_let(Teen, SECRET).await.expect("older");
    cody.session = world.session().await;
    let told = cody.connect().await.expect("connected");
    assert_eq!((told.age_band(), told.guarded), (Teen, false));
}

#[tokio::test]
async fn anybody_may_become_younger_and_nobody_older_by_themself() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    for to in [Teen, Teen, Child] {
        alice.change_age(to, "").await.expect("younger, or the same");
        assert_eq!(band(&world, &alice).await, to);
    }
    // Not even to "does not say": that would take a guardian away.
    for to in [Teen, Adult, Unknown] {
        assert_eq!(code(alice.change_age(to, "").await), Some(Code::InviteNeeded));
        assert_eq!(code(alice.change_age(to, "guess").await), Some(Code::InviteNeeded));
        assert_eq!(code(alice.is_let(to, SECRET).await), Some(Code::BadRequest));
    }
    assert_eq!(band(&world, &alice).await, Child);
    let call = v1::ChangeAge { age_band: 9, ..Default::default() };
    alice.refused(Code::BadRequest, ask::Body::ChangeAge(call)).await;
}

#[tokio::test]
async fn a_false_age_gains_the_sender_nothing_and_protects_the_receiver_at_once() {
    let world = World::new().await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(4).await;
    let mut sizes = Vec::new();
    for (n, own, hers, reached) in
        [(0, Adult, Adult, true), (1, Child, Adult, true), (2, Child, Teen, false), (3, Child, Child, false)]
    {
        pest.change_age(own, "").await.expect("younger");
        alice.change_age(hers, "").await.expect("younger");
        let before = alice.mail().await.len();
        let answer = pest.submit(Group::new().founds(&[to[n]], "hello")).await.expect("sent");
        sizes.push(zegel_proto::Message::encoded_len(&answer));
        assert_eq!(alice.mail().await.len() > before, reached, "{own:?} to {hers:?}");
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[tokio::test]
async fn an_invite_makes_older_whom_it_says_once() {
    let world = World::new().await;
    let mut cody = world.person("cody", Child).await;
    for (name, age_band) in
        [("teens", Some(Teen)), ("adults", Some(Adult)), ("any", None), ("child", Some(Child))]
    {
        world.invite(name, age_band, 1, false).await;
    }
    let today = zegel_server::clock::Now::get().day();
    let old = Invite { uses: 5, age_band: Some(Teen), for_one: false, expires_day: today - 1 };
    world.write(move |tx| tx.put_invite(&zegel_proto::token_hash(b"old"), &old)).await;
    // It sets exactly that age, and what is refused costs no use.
    for (to, invite) in [
        (Teen, "adults"),
        (Adult, "teens"),
        (Adult, "any"),
        (Teen, "child"),
        (Teen, "old"),
        (Unknown, "child"),
    ] {
        assert_eq!(code(cody.change_age(to, invite).await), Some(Code::InviteNeeded), "{invite}");
        assert_ne!(uses(&world, invite).await, 0);
    }
    cody.change_age(Teen, " TEENS ").await.expect("older");
    assert_eq!((band(&world, &cody).await, uses(&world, "teens").await), (Teen, 0));
    cody.change_age(Teen, "teens").await.expect("it is so already");
    cody.change_age(Child, "").await.expect("younger");
    assert_eq!(code(cody.change_age(Teen, "teens").await), Some(Code::InviteNeeded), "used up");
    // Nobody registers with it either.
    let mut dora = Person::unregistered(&world, "dora").await;
    assert_eq!(code(dora.register(Adult, "teens").await), Some(Code::InviteNeeded));
    // What makes nobody older uses nothing up.
    cody.change_age(Child, "adults").await.expect("the same");
    assert_eq!(uses(&world, "adults").await, 1);
}

#[tokio::test]
async fn two_who_show_one_invite_at_once_use_it_once() {
    let world = World::new().await;
    world.invite("once", Some(Adult), 1, false).await;
    let mut people = Vec::new();
    for handle in ["anna", "brit", "cara", "dora"] {
        people.push(world.person(handle, Teen).await);
    }
    let [a, b, c, d] = &mut people[..] else { panic!() };
    let (a, b, c, d) = tokio::join!(
        a.change_age(Adult, "once"),
        b.change_age(Adult, "once"),
        c.change_age(Adult, "once"),
        d.change_age(Adult, "once")
    );
    let done = [a, b, c, d].map(|answer| answer.is_ok());
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    let mut adults = 0;
    for person in &people {
        adults += usize::from(band(&world, person).await == Adult);
    }
    assert_eq!(adults, 1);
    // And one account on two devices becomes what was decided last, with one use for one step.
    world.invite("twice", Some(Adult), 2, false).await;
    let mut phone = world.person("eva", Teen).await;
    let mut laptop = phone.sibling(&world).await;
    let (first, second) = tokio::join!(phone.change_age(Adult, "twice"), laptop.change_age(Adult, "twice"));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((band(&world, &phone).await, uses(&world, "twice").await), (Adult, 1));
}

#[tokio::test]
async fn only_a_child_takes_a_guardian_and_only_the_guardian_ends_it() {
    let world = World::new().await;
    for (handle, own) in [("adele", Adult), ("tess", Teen), ("uma", Unknown)] {
        let mut person = world.person(handle, own).await;
        let error = person.set_guardian(Some(SECRET), None).await.expect_err("refused");
        assert!(error.message.contains("zegel age child"), "{error:?}");
        person.set_guardian(None, None).await.expect("there is none anyway");
    }
    let mut cody = world.person("cody", Child).await;
    cody.set_guardian(Some(SECRET), None).await.expect("noted");
    cody.set_guardian(Some(SECRET), None).await.expect("asked again");
    for (next, secret) in [(None, None), (Some(NEXT), None), (None, Some(NEXT)), (Some(NEXT), Some(NEXT))] {
        assert_eq!(code(cody.set_guardian(next, secret).await), Some(Code::BadRequest));
    }
    // The hash itself, as a thief of the disk has it, is no secret.
    let hash = sha256(&SECRET);
    assert_eq!(world.account(cody.account).await.guardian, Some(hash));
    assert_eq!(code(cody.set_guardian(None, Some(hash)).await), Some(Code::BadRequest));
    cody.set_guardian(Some(NEXT), Some(SECRET)).await.expect("changed");
    assert_eq!(code(cody.set_guardian(None, Some(SECRET)).await), Some(Code::BadRequest), "the old one");
    cody.set_guardian(None, Some(NEXT)).await.expect("ended");
    assert_eq!(world.account(cody.account).await.guardian, None);
    let short = v1::SetGuardian { hash: vec![1; 31].into(), ..Default::default() };
    cody.refused(Code::BadRequest, ask::Body::SetGuardian(short)).await;
}

#[tokio::test]
async fn the_guardians_word_is_good_for_one_step() {
    let world = World::new().await;
    let mut cody = world.person("cody", Child).await;
    cody.set_guardian(Some(SECRET), None).await.expect("noted");
    for wrong in [NEXT, sha256(&SECRET)] {
        assert_eq!(code(cody.is_let(Teen, wrong).await), Some(Code::BadRequest));
    }
    assert_eq!(code(cody.is_let(Adult, SECRET).await), Some(Code::BadRequest), "two steps");
    cody.is_let(Teen, SECRET).await.expect("older");
    // The link is over, and the word with it.
    assert_eq!(world.account(cody.account).await.guardian, None);
    assert_eq!(code(cody.is_let(Adult, SECRET).await), Some(Code::BadRequest));
    assert_eq!(
        code(cody.set_guardian(Some(SECRET), None).await),
        Some(Code::BadRequest),
        "a teen takes none"
    );
    cody.change_age(Child, "").await.expect("younger");
    assert_eq!(code(cody.is_let(Teen, SECRET).await), Some(Code::BadRequest));
    assert_eq!(band(&world, &cody).await, Child);
}

#[tokio::test]
async fn where_guardians_stay_until_adulthood_each_step_needs_a_new_word() {
    let mut config = Config::default();
    config.safety.guardians.numbers.until = Until::Adult;
    let world = World::with(config).await;
    let mut cody = world.person("cody", Child).await;
    cody.set_guardian(Some(SECRET), None).await.expect("noted");
    cody.is_let(Teen, SECRET).await.expect("older");
    assert!(world.account(cody.account).await.guardian.is_some());
    // The child's device has seen the secret; it allows nothing more, but for the guardian's next one.
    assert_eq!(code(cody.is_let(Adult, SECRET).await), Some(Code::BadRequest));
    cody.change_age(Child, "").await.expect("younger");
    assert_eq!(code(cody.is_let(Teen, SECRET).await), Some(Code::BadRequest));
    cody.set_guardian(Some(NEXT), Some(SECRET)).await.expect("changed");
    for to in [Teen, Adult] {
        if to == Adult {
            cody.set_guardian(Some(SECRET), Some(NEXT)).await.expect("changed");
            cody.is_let(to, SECRET).await.expect("older");
        } else {
            cody.is_let(to, NEXT).await.expect("older");
        }
    }
    assert_eq!(world.account(cody.account).await.guardian, None);
}

#[tokio::test]
async fn an_invite_ends_the_guardian_too_when_childhood_is_over() {
    let world = World::new().await;
    world.invite("teens", Some(Teen), 1, false).await;
    let mut cody = world.person("cody", Child).await;
    cody.set_guardian(Some(SECRET), None).await.expect("noted");
    // With the guardian's word a child may stop saying its age; it is still guarded.
    cody.is_let(Unknown, SECRET).await.expect("allowed");
    assert!(world.account(cody.account).await.guardian.is_some());
    cody.change_age(Teen, "teens").await.expect("older");
    assert_eq!(world.account(cody.account).await.guardian, None);
}

#[tokio::test]
async fn who_is_suspended_changes_nothing() {
    let world = World::new().await;
    world.invite("adults", Some(Adult), 1, false).await;
    let mut cody = world.person("cody", Child).await;
    let id = cody.account;
    world.write(move |tx| tx.set_account_state(&id, AccountState::Suspended, 0)).await;
    cody.session = world.session().await;
    cody.authenticate(true).await.expect("for an appeal");
    assert_eq!(code(cody.change_age(Adult, "adults").await), Some(Code::BadRequest));
    assert_eq!(code(cody.set_guardian(Some(SECRET), None).await), Some(Code::BadRequest));
    assert_eq!((band(&world, &cody).await, uses(&world, "adults").await), (Child, 1));
}
