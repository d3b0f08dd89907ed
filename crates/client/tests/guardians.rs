//! A child and a guardian, between real clients over a real server process.

mod help;

use help::{Person, Server};
use zegel_client::{AgeBand, Approval, AskKind, GuardianLink, GuardianState, Outcome, Role};

/// A mother and her child who talk.
async fn family(server: &Server) -> (Person, Person) {
    let mum = Person::registers("mum", server).await;
    let kid = Person::registers_as("kid", AgeBand::Child, server).await;
    kid.sends("it is me", "mum").await;
    mum.accepts("kid").await;
    mum.sends("good", "kid").await;
    kid.reads("good", "mum").await;
    (mum, kid)
}

fn state(person: &Person) -> Vec<(String, Role, GuardianState)> {
    let links = person.client().guardians().expect("reads");
    links.into_iter().map(|GuardianLink { handle, role, state }| (handle, role, state)).collect()
}

async fn links(guardian: &Person, child: &Person) {
    assert_eq!(guardian.client().link_guardian(&child.handle).await.expect("asks"), GuardianState::WeAsk);
    let asks = [(guardian.handle.clone(), Role::Guardian, GuardianState::TheyAsk)];
    child.waits_until("the guardian's wish", || state(child) == asks).await;
    assert_eq!(child.client().whoami().guardian, "");
    child.client().link_guardian(&guardian.handle).await.expect("agrees");
    child.waits_until("the link", || child.client().whoami().guardian == guardian.handle).await;
    let linked = [(child.handle.clone(), Role::Child, GuardianState::Linked)];
    guardian.waits_until("the link", || state(guardian) == linked).await;
}

fn asks(guardian: &Person) -> Vec<(AskKind, String)> {
    let approvals = guardian.client().approvals().expect("reads");
    approvals.into_iter().map(|Approval { what, name, .. }| (what, name)).collect()
}

async fn allows(guardian: &Person, child: &Person, what: AskKind, name: &str) {
    let asked = [(what, name.to_owned())];
    guardian.waits_until(&format!("the question about {name}"), || asks(guardian) == asked).await;
    guardian.client().answer_child(&child.handle, name, true).await.expect("allows");
    assert_eq!(asks(guardian), []);
}

fn contacts(guardian: &Person, child: &Person) -> Vec<String> {
    let told = guardian.client().child_contacts(&child.handle).expect("a child of theirs");
    told.map(|told| [told.people, told.groups].concat()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_decides_who_is_new_and_sees_whom_the_child_knows() {
    let server = Server::start();
    let (mum, mut kid) = family(&server).await;
    links(&mum, &kid).await;

    // Carol has the child's code, so she reaches the child; but she waits for the guardian.
    let carol = Person::registers("carol", &server).await;
    let code = kid.client().code().await.expect("a code");
    carol.client().connect(&code).await.expect("connects");
    kid.sees_request("carol").await;
    let asked = Outcome::AskedGuardian("mum".into());
    assert_eq!(kid.client().accept("carol").await.expect("asks"), asked);
    assert_eq!(kid.client().requests().expect("reads")[0].waits_for, "mum");
    assert_eq!(contacts(&mum, &kid), [""; 0]);
    // The child's app is not even open when the answer comes.
    kid.closes().await;
    allows(&mum, &kid, AskKind::Contact, "carol").await;
    kid.opens().await;
    kid.waits_until("carol", || kid.client().requests().expect("reads").is_empty()).await;
    carol.sends("hi kid", "kid").await;
    kid.reads("hi kid", "carol").await;
    mum.waits_until("the child's contacts", || contacts(&mum, &kid) == ["carol"]).await;

    // Writing to somebody new, too.
    let dave = Person::registers("dave", &server).await;
    let refused = kid.client().send("dave", "hi").await.expect_err("the guardian is asked first");
    assert!(refused.to_string().contains("mum, your guardian, has to allow dave first"), "{refused}");
    allows(&mum, &kid, AskKind::Contact, "dave").await;
    kid.waits_until("the answer", || kid.lines().iter().any(|l| l.text.contains("allows contact with dave")))
        .await;
    kid.sends("hi dave", "dave").await;
    dave.sees_request("kid").await;
    mum.waits_until("dave in the list", || contacts(&mum, &kid) == ["carol", "dave"]).await;

    // And a group, of which the guardian sees who is in it.
    carol.client().group_create("club", &["kid".into(), "mum".into()]).await.expect("creates");
    kid.sees_request("club").await;
    assert_eq!(kid.client().accept("club").await.expect("asks"), asked);
    let club = || mum.client().approvals().expect("reads").iter().any(|it| it.people == ["carol", "mum"]);
    mum.waits_until("who is in the club", club).await;
    mum.client().answer_child("kid", "club", false).await.expect("refuses");
    kid.waits_until("the refusal", || {
        kid.lines().iter().any(|l| l.text == "mum does not allow the group “club”.")
    })
    .await;
    assert_eq!(kid.client().requests().expect("reads")[0].waits_for, "");
    assert_eq!(contacts(&mum, &kid), ["carol", "dave"]);
    for person in [&mum, &kid] {
        assert!(person.alarms().is_empty(), "{}: {:?}", person.handle, person.alarms());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_lets_a_child_become_a_teen_and_the_link_ends() {
    let mut server = Server::start();
    let (mum, kid) = family(&server).await;
    let alone = kid.client().change_age(AgeBand::Teen, None).await.expect_err("nobody allows it");
    assert!(alone.to_string().contains("`age teen --invite CODE`"), "{alone}");
    links(&mum, &kid).await;
    let two = kid.client().change_age(AgeBand::Adult, None).await.expect_err("one step at a time");
    assert!(two.to_string().contains("one step at a time"), "{two}");
    let asked = kid.client().change_age(AgeBand::Teen, None).await.expect("asks");
    assert_eq!(asked, Outcome::AskedGuardian("mum".into()));
    server.kill();
    server.run();
    allows(&mum, &kid, AskKind::Age, "teen").await;
    kid.waits_until("another age", || kid.client().whoami().age == AgeBand::Teen).await;
    assert_eq!((kid.client().whoami().guardian, state(&kid)), (String::new(), vec![]));
    mum.waits_until("the end", || state(&mum).is_empty()).await;
    // Without a guardian the next step is an invite's.
    let alone = kid.client().change_age(AgeBand::Adult, None).await.expect_err("nobody allows it");
    assert!(alone.to_string().contains("needs an invite"), "{alone}");
    // Younger is always possible, and nobody is the guardian again by that.
    assert_eq!(kid.client().change_age(AgeBand::Child, None).await.expect("younger"), Outcome::Done);
    assert_eq!((kid.client().whoami().age, kid.client().whoami().guardian.as_str()), (AgeBand::Child, ""));
    links(&mum, &kid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_by_the_guardian_or_by_the_childs_block() {
    let server = Server::start();
    let (mum, kid) = family(&server).await;
    links(&mum, &kid).await;
    let own = kid.client().unlink_guardian("mum").await.expect_err("not the child's to end");
    assert!(own.to_string().contains("`block mum`"), "{own}");
    mum.client().unlink_guardian("kid").await.expect("ends it");
    kid.waits_until("the end", || kid.client().whoami().guardian.is_empty()).await;
    assert!(state(&mum).is_empty());
    // The service forgot it: somebody else can be the guardian.
    let gran = Person::registers("gran", &server).await;
    kid.sends("hi gran", "gran").await;
    gran.accepts("kid").await;
    gran.sends("hi", "kid").await;
    kid.reads("hi", "gran").await;
    links(&gran, &kid).await;

    kid.client().block("gran").await.expect("blocks");
    assert_eq!(kid.client().whoami().guardian, "");
    gran.waits_until("the end", || state(&gran).is_empty()).await;
    let stranger = Person::registers("stranger", &server).await;
    kid.sends("nobody is asked any more", "stranger").await;
    stranger.sees_request("kid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_who_deleted_their_account_is_asked_nothing() {
    let server = Server::start();
    let (mut mum, kid) = family(&server).await;
    links(&mum, &kid).await;
    mum.client.take().expect("open").delete_account("mum").await.expect("deletes");
    let dave = Person::registers("dave", &server).await;
    // The directory says so within some seconds; until then it is asked in vain.
    let start = std::time::Instant::now();
    while let Err(waits) = kid.client().send("dave", "hi").await {
        assert!(
            waits.to_string().contains("mum, your guardian") && start.elapsed() < help::PATIENCE,
            "{waits}"
        );
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    dave.sees_request("kid").await;
    assert_eq!(kid.client().whoami().guardian, "");
}
