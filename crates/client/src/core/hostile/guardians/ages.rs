//! A child's age, by a guardian's word.

use super::*;

fn asks_for_teen(world: &mut World) -> [u8; 32] {
    assert_eq!(world.core(KID).ask_for_age(AgeBand::Teen).expect("asked"), Some("alice".into()));
    world.flush(KID);
    assert_eq!(world.waiting(MUM), [("age", "teen".to_owned())]);
    let secret = world.secret(MUM, KID);
    world.answers(MUM, KID, "teen", true);
    secret
}

#[test]
fn a_child_becomes_a_teen_by_the_guardian_and_the_link_ends() {
    let mut world = linked();
    let secret = asks_for_teen(&mut world);
    let (_, first) = world.at(KID).errand().expect("errands").expect("one");
    let Call::ChangeAge(call) = first else { panic!("another age") };
    assert_eq!((call.age_band(), call.guardian.to_vec()), (AgeBand::Teen, secret.to_vec()));
    // The answer was lost, and the next connection tells the age first.
    world.restart(KID);
    let told = v1::Authenticated { age_band: AgeBand::Teen.into(), guarded: false, ..Default::default() };
    world.core(KID).note_own_age(&told).expect("noted");
    world.flush(KID);
    assert_eq!(world.guardian_of(KID), "");
    assert!(matches!(world.errand(KID), Some(Call::ChangeAge(_))), "asked again, which changes nothing");
    assert!(world.errand(KID).is_none());
    assert_eq!(world.notices(KID, "your account's age is past that now"), 1);
    assert_eq!(world.notices(MUM, "You are no longer the guardian of bob"), 1);
    let carol = world.account(CAROL);
    assert_eq!(world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked"), None);
    // A child again, and linked again: by a secret that the child's device has not seen.
    world.set_band(KID, AgeBand::Child);
    link(&mut world, MUM, KID);
    assert_ne!(world.secret(MUM, KID), secret);
}

#[test]
fn a_link_that_outlasts_the_step_gets_another_secret() {
    let mut world = linked();
    let mut policy = Policy::shipped();
    policy.guardians.numbers.until = Until::Adult;
    world.core(KID).take_policy(&policy.to_toml(), &policy.hash()).expect("taken");
    let secret = asks_for_teen(&mut world);
    assert!(matches!(world.errand(KID), Some(Call::ChangeAge(_))));
    assert_eq!(
        (world.guardian_of(KID).as_str(), world.at(KID).own_band().expect("a band")),
        ("alice", AgeBand::Teen)
    );
    let Some(Call::SetGuardian(call)) = world.errand(KID) else { panic!("another secret") };
    let next = world.secret(MUM, KID);
    assert_ne!(next, secret, "the child's device knows the first");
    assert_eq!((call.hash.to_vec(), call.secret.to_vec()), (hash(&next), secret.to_vec()));
    assert!(world.errand(KID).is_none());

    // The service may refuse an age, and says why.
    world.core(KID).ask_for_age(AgeBand::Adult).expect("asked");
    world.flush(KID);
    world.answers(MUM, KID, "adult", true);
    let (id, _) = world.at(KID).errand().expect("errands").expect("one");
    world.core(KID).errand_ended(id, Some("not now")).expect("ended");
    assert_eq!(world.notices(KID, "did not become: adult. The service said: not now"), 1);
    assert_eq!(world.guardian_of(KID), "alice");
}

#[test]
fn an_age_that_the_service_says_by_itself_ends_no_link_and_a_forgotten_one_is_told_again() {
    let mut world = linked();
    let tells = |world: &mut World, who: usize, age_band: AgeBand, guarded| {
        let told = v1::Authenticated { age_band: age_band.into(), guarded, ..Default::default() };
        world.core(who).note_own_age(&told).expect("noted");
        world.flush(who);
    };
    tells(&mut world, KID, AgeBand::Child, true);
    assert!(world.errand(KID).is_none());
    tells(&mut world, KID, AgeBand::Child, false);
    let Some(Call::SetGuardian(call)) = world.errand(KID) else { panic!("it is told again") };
    assert_eq!(call.hash.to_vec(), hash(&world.secret(MUM, KID)));
    assert_eq!(world.guardian_of(KID), "alice");

    // A service that calls the child an adult, or the mother a child, frees nobody of anybody.
    for (who, band) in
        [(KID, AgeBand::Adult), (KID, AgeBand::Teen), (MUM, AgeBand::Child), (MUM, AgeBand::Adult)]
    {
        for _ in 0..3 {
            tells(&mut world, who, band, true);
        }
        world.restart(who);
        assert_eq!(world.at(KID).own_band().expect("a band"), AgeBand::Child);
        assert!(world.at(KID).is_minor());
        assert_eq!(world.guardian_of(KID), "alice");
        assert_eq!(world.link_state(MUM, KID), Some(LinkState::Linked));
        assert!(world.errand(KID).is_none());
    }
    assert_eq!(world.notices(KID, "on protecting you as before"), 2, "each is told once");
    assert_eq!(world.notices(MUM, "keeps another age for this account now: child"), 1);
    assert!(!world.at(KID).is_doubted(AgeBand::Teen).expect("known"), "who looks after them is asked");
    tells(&mut world, KID, AgeBand::Child, true);

    // An act of the person's own counts, also if the answer to it was lost.
    world.core(KID).ask_for_band(Some(AgeBand::Teen)).expect("noted");
    tells(&mut world, KID, AgeBand::Teen, false);
    assert_eq!(
        (world.guardian_of(KID), world.at(KID).own_band().expect("a band")),
        (String::new(), AgeBand::Teen)
    );
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
}

#[test]
fn a_secret_that_was_shown_is_none_for_the_next_time() {
    let mut world = linked();
    let kid = world.account(KID);
    let first = world.secret(MUM, KID);
    world.core(MUM).unlink(&kid).expect("unlinked");
    world.flush(MUM);
    assert!(world.link_state(MUM, KID).is_none(), "nothing of it is kept");
    assert!(matches!(world.errand(KID), Some(Call::SetGuardian(call)) if call.hash.is_empty()));
    link(&mut world, MUM, KID);
    assert_ne!(world.secret(MUM, KID), first, "the child's device knows the first");
    // Blocking the child shows it too; without a chat in use it is not shown, and stays.
    let shown = world.secret(MUM, KID);
    world.core(MUM).say_goodbye(&kid).expect("said");
    world.blocks(MUM, KID);
    assert!(world.link_state(MUM, KID).is_none());
    let mut world = linked();
    let mum = world.account(MUM);
    let contact = world.at(KID).db.contact(&mum).expect("the database").expect("a contact");
    world.core(KID).say_goodbye(&mum).expect("said");
    world.flush(KID);
    world.core(KID).block(&contact).expect("blocked");
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
    assert_ne!(world.secret(MUM, KID), shown, "the service still may have this one");
}
