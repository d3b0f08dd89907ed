//! Who may do what with a case, and when: each rule of `Case`, role by role.

mod scene;

use proptest::{collection::vec, prelude::*};
use scene::{ALICE, DAY, MALLORY, NOW, case, decide, staff};
use zegel_cases::{
    Act, Case, Category, Decision, MAX_APPEAL, Measure, RULING_DAYS, Role, Staff, StaffId, State, Subject,
    WhyNot,
};

const HOUR: u64 = 60 * 60 * 1000;

fn act_decide(measure: Measure) -> Act {
    let explanation = "because".into();
    Act::Decide { measure, against: MALLORY, ground: Category::Grooming, explanation, seen: 1 }
}

/// Claims and does it; the claim's refusal if that is refused.
fn claimed(case: &mut Case, who: &Staff, act: Act, now_ms: u64) -> Result<(), WhyNot> {
    case.act(who, Act::Claim, now_ms)?;
    case.act(who, act, now_ms)
}

#[test]
fn each_role_may_do_what_it_is_there_for() {
    use Role::{Auditor, Moderator, Senior};
    let suspend = Measure::Suspend { days: 7 };
    let restrict = Measure::RestrictFirstContact { days: 7 };
    // An act on an open case that asked for an export, and whether each role may.
    let rows = [
        (Act::Claim, [true, true, false]),
        (act_decide(Measure::Dismiss), [true, true, false]),
        (act_decide(Measure::Warn), [true, true, false]),
        (act_decide(restrict), [true, true, false]),
        (act_decide(suspend), [true, true, false]),
        (act_decide(Measure::Ban), [false, true, false]),
        (Act::AskExport, [true, true, false]),
        (Act::AllowExport, [false, true, false]),
    ];
    for (act, may) in rows {
        for (role, may) in [Moderator, Senior, Auditor].into_iter().zip(may) {
            let mut case = case();
            case.act(&staff("zoe", Moderator), Act::AskExport, NOW).expect("a moderator may ask");
            let who = staff("ada", role);
            let done = match act {
                Act::Decide { .. } => claimed(&mut case, &who, act.clone(), NOW),
                _ => case.act(&who, act.clone(), NOW),
            };
            let expected = if may { Ok(()) } else { Err(WhyNot::Role) };
            assert_eq!(done, expected, "{} {act:?}", role.word());
        }
    }
}

#[test]
fn each_role_may_decide_appeals_as_it_is_there_for() {
    use Role::{Auditor, Moderator, Senior};
    for (first, second, role, may) in [
        (Measure::Warn, Measure::Dismiss, Moderator, true),
        (Measure::Warn, Measure::Ban, Moderator, false),
        (Measure::Ban, Measure::Ban, Moderator, true),
        (Measure::Ban, Measure::Dismiss, Moderator, true),
        (Measure::Ban, Measure::Ban, Senior, true),
        (Measure::Warn, Measure::Dismiss, Auditor, false),
    ] {
        let mut case = case();
        decide(&mut case, &staff("zoe", Senior), first, Category::Grooming, NOW);
        case.appeal(&MALLORY, "it was not me", NOW + DAY).expect("it can be appealed");
        let done = claimed(&mut case, &staff("ada", role), act_decide(second), NOW + DAY);
        let expected = if may { Ok(()) } else { Err(WhyNot::Role) };
        assert_eq!(done, expected, "{first:?} {second:?} {}", role.word());
    }
}

#[test]
fn only_who_claimed_a_case_decides_it() {
    let (ada, bob, senior) =
        (staff("ada", Role::Moderator), staff("bob", Role::Moderator), staff("sue", Role::Senior));
    let mut case = case();
    assert_eq!(case.act(&ada, act_decide(Measure::Warn), NOW), Err(WhyNot::NotClaimed));
    assert_eq!(case.act(&ada, Act::Release, NOW), Err(WhyNot::NothingWaits));
    case.act(&ada, Act::Claim, NOW).expect("it is free");
    case.act(&ada, Act::Claim, NOW + HOUR).expect("it is theirs; the time begins anew");
    assert_eq!(case.act(&bob, Act::Claim, NOW + HOUR), Err(WhyNot::Claimed(ada.id.clone())));
    for other in [&bob, &senior] {
        let decided = case.act(other, act_decide(Measure::Warn), NOW + HOUR);
        assert_eq!(decided, Err(WhyNot::Claimed(ada.id.clone())));
    }
    assert_eq!(case.act(&bob, Act::Release, NOW + HOUR), Err(WhyNot::Claimed(ada.id.clone())));
    assert_eq!(case.act(&staff("eve", Role::Auditor), Act::Release, NOW + HOUR), Err(WhyNot::Role));
    let mut released = case.clone();
    released.act(&senior, Act::Release, NOW + HOUR).expect("a senior ends anyone's claim");
    released.act(&bob, Act::Claim, NOW + HOUR).expect("it is free");
    case.act(&ada, Act::Release, NOW + HOUR).expect("it is theirs");
    case.act(&ada, Act::Claim, NOW + HOUR).expect("it is free");
    // Four hours later nobody holds it, and who claimed it has to claim it again.
    let late = NOW + 5 * HOUR;
    assert_eq!(case.claimed_by(late - 1), Some(&ada.id));
    assert_eq!(case.claimed_by(late), None);
    assert_eq!(case.act(&ada, act_decide(Measure::Warn), late), Err(WhyNot::NotClaimed));
    case.act(&bob, Act::Claim, late).expect("it is free");
    case.act(&bob, act_decide(Measure::Warn), late).expect("it is theirs");
    assert_eq!((case.claim.as_ref(), case.state(late)), (None, State::Decided));
    assert_eq!(case.act(&ada, Act::Claim, late), Err(WhyNot::NothingWaits));
}

#[test]
fn a_decision_says_why_and_ends() {
    let ada = staff("ada", Role::Moderator);
    let decide = |measure, against, explanation: &str, subject| {
        let mut case = Case { subject, ..case() };
        let explanation = explanation.to_owned();
        let act = Act::Decide { measure, against, ground: Category::Spam, explanation, seen: 1 };
        let before = case.clone();
        let done = claimed(&mut case, &ada, act, NOW);
        case.claim = None;
        assert!(done.is_ok() || case == before, "what is refused changes nothing");
        done
    };
    let about = Subject::Account(MALLORY);
    for days in [0, 366, u32::MAX] {
        for measure in [Measure::Suspend { days }, Measure::RestrictFirstContact { days }] {
            assert_eq!(decide(measure, MALLORY, "because", about), Err(WhyNot::Days));
        }
    }
    for days in [1, 365] {
        assert_eq!(decide(Measure::Suspend { days }, MALLORY, "because", about), Ok(()));
    }
    for explanation in ["", " \n", &"x".repeat(2001)] {
        assert_eq!(decide(Measure::Warn, MALLORY, explanation, about), Err(WhyNot::Words(2000)));
    }
    assert_eq!(decide(Measure::Warn, MALLORY, &"x".repeat(2000), about), Ok(()));
    assert_eq!(decide(Measure::Warn, ALICE, "because", about), Err(WhyNot::Person));
    assert_eq!(decide(Measure::Warn, ALICE, "because", Subject::Room([7; 32])), Ok(()));
}

#[test]
fn the_person_appeals_once_in_time_and_somebody_else_decides() {
    let (ada, bob) = (staff("ada", Role::Senior), staff("bob", Role::Moderator));
    let mut case = case();
    assert_eq!(case.appeal(&MALLORY, "no", NOW), Err(WhyNot::Person), "nothing was decided");
    let mut dismissed = case.clone();
    decide(&mut dismissed, &ada, Measure::Dismiss, Category::Other, NOW);
    assert_eq!(dismissed.appeal(&MALLORY, "no", NOW), Err(WhyNot::NothingWaits));
    decide(&mut case, &ada, Measure::Ban, Category::Grooming, NOW);
    assert_eq!(case.appeal(&ALICE, "no", NOW), Err(WhyNot::Person));
    for text in ["", " \t", &"x".repeat(MAX_APPEAL + 1)] {
        assert_eq!(case.appeal(&MALLORY, text, NOW), Err(WhyNot::Words(MAX_APPEAL)));
    }
    let end = NOW + RULING_DAYS * DAY;
    assert_eq!((case.state(end), case.state(end + 1)), (State::Decided, State::Closed));
    assert_eq!(case.appeal(&MALLORY, "no", end + 1), Err(WhyNot::NothingWaits));
    case.appeal(&MALLORY, "no", end).expect("it is in time");
    assert_eq!(case.appeal(&MALLORY, "no", end), Err(WhyNot::NothingWaits), "once");
    assert_eq!(case.state(end + DAY), State::Appealed);
    assert_eq!(case.act(&ada, Act::Claim, end), Err(WhyNot::SamePerson(ada.id.clone())));
    assert_eq!(case.act(&ada, act_decide(Measure::Ban), end), Err(WhyNot::SamePerson(ada.id.clone())));
    let other = Act::Decide {
        measure: Measure::Warn,
        against: ALICE,
        ground: Category::Spam,
        explanation: "because".into(),
        seen: 1,
    };
    assert_eq!(claimed(&mut case, &bob, other, end), Err(WhyNot::Person));
    assert_eq!(case.standing().map(|now| now.measure), Some(Measure::Ban));
    case.act(&bob, act_decide(Measure::Suspend { days: 3 }), end).expect("it is theirs");
    assert_eq!(case.state(end), State::Closed);
    assert_eq!(case.in_force(), Some((Measure::Suspend { days: 3 }, (end / DAY + 4) * DAY)));
    assert_eq!(case.appeal(&MALLORY, "no", end), Err(WhyNot::NothingWaits));
    assert_eq!(case.act(&bob, Act::Claim, end), Err(WhyNot::NothingWaits));
}

#[test]
fn a_measure_that_an_appeal_leaves_does_not_begin_anew() {
    let mut case = case();
    assert_eq!(case.in_force(), None);
    let week = Measure::Suspend { days: 7 };
    decide(&mut case, &staff("ada", Role::Senior), week, Category::Threats, NOW);
    case.appeal(&MALLORY, "no", NOW + DAY).expect("it is in time");
    let mut milder = case.clone();
    decide(&mut case, &staff("bob", Role::Senior), week, Category::Threats, NOW + 2 * DAY);
    assert_eq!(case.in_force(), Some((week, (NOW / DAY + 8) * DAY)));
    // Nor does something milder last longer.
    let restrict = Measure::RestrictFirstContact { days: 7 };
    decide(&mut milder, &staff("bob", Role::Senior), restrict, Category::Threats, NOW + 2 * DAY);
    assert_eq!(milder.in_force(), Some((restrict, (NOW / DAY + 8) * DAY)));
}

#[test]
fn an_appeal_never_makes_it_worse() {
    let restrict = |days| Measure::RestrictFirstContact { days };
    let suspend = |days| Measure::Suspend { days };
    for (first, second, may) in [
        (Measure::Warn, Measure::Ban, false),
        (Measure::Warn, suspend(1), false),
        (Measure::Warn, restrict(1), false),
        (restrict(30), suspend(1), false),
        (restrict(7), restrict(8), false),
        (suspend(7), suspend(8), false),
        (suspend(7), restrict(8), false),
        (suspend(365), Measure::Ban, false),
        (suspend(7), suspend(7), true),
        (suspend(7), restrict(7), true),
        (Measure::Ban, suspend(365), true),
        (Measure::Warn, Measure::Dismiss, true),
    ] {
        let mut case = case();
        decide(&mut case, &staff("zoe", Role::Senior), first, Category::Grooming, NOW);
        case.appeal(&MALLORY, "no", NOW + DAY).expect("it can be appealed");
        let done = claimed(&mut case, &staff("sue", Role::Senior), act_decide(second), NOW + DAY);
        assert_eq!(done, if may { Ok(()) } else { Err(WhyNot::Harsher) }, "{first:?} {second:?}");
    }
}

#[test]
fn nobody_decides_on_reports_that_they_did_not_see() {
    let (ada, mut case) = (staff("ada", Role::Moderator), case());
    case.act(&ada, Act::Claim, NOW).expect("it is free");
    case.reports += 1;
    let before = case.clone();
    assert_eq!(case.act(&ada, act_decide(Measure::Dismiss), NOW), Err(WhyNot::Unseen));
    assert_eq!(case, before);
    case.reports -= 1;
    case.act(&ada, act_decide(Measure::Dismiss), NOW).expect("all were seen");
}

#[test]
fn evidence_leaves_for_a_week_when_two_people_want_it() {
    let (ada, sue, sam) =
        (staff("ada", Role::Moderator), staff("sue", Role::Senior), staff("sam", Role::Senior));
    let mut case = case();
    assert_eq!(case.may_fetch(&sue, NOW), Err(WhyNot::NothingWaits));
    assert_eq!(case.act(&sue, Act::AllowExport, NOW), Err(WhyNot::NothingWaits), "nobody asked");
    case.act(&sue, Act::AskExport, NOW).expect("a senior may ask");
    assert_eq!(case.act(&sue, Act::AllowExport, NOW), Err(WhyNot::SamePerson(sue.id.clone())));
    assert_eq!(case.may_fetch(&sue, NOW), Err(WhyNot::NothingWaits));
    case.act(&sam, Act::AllowExport, NOW).expect("it is somebody else");
    assert_eq!(case.act(&sam, Act::AllowExport, NOW), Err(WhyNot::NothingWaits), "once");
    let only_they = Err(WhyNot::OnlyThey(sue.id.clone(), sam.id.clone()));
    let eve = staff("eve", Role::Auditor);
    for (who, expected) in [(&sue, Ok(())), (&sam, Ok(())), (&ada, only_they), (&eve, Err(WhyNot::Role))] {
        assert_eq!(case.may_fetch(who, NOW + 7 * DAY - 1), expected);
    }
    // What came in later, nobody wanted out.
    let mut more = Case { reports: case.reports + 1, ..case.clone() };
    for who in [&sue, &sam, &ada] {
        assert_eq!(more.may_fetch(who, NOW), Err(WhyNot::Outgrown));
    }
    more.act(&ada, Act::AskExport, NOW).expect("it is asked for anew");
    more.act(&sue, Act::AllowExport, NOW).expect("it is somebody else");
    assert_eq!(more.may_fetch(&ada, NOW), Ok(()));
    assert_eq!(case.act(&ada, Act::AskExport, NOW + DAY), Err(WhyNot::NothingWaits), "it may leave already");
    assert_eq!(case.may_fetch(&sue, NOW + 7 * DAY), Err(WhyNot::NothingWaits));
    case.act(&ada, Act::AskExport, NOW + 7 * DAY).expect("it is over");
    assert_eq!(case.may_fetch(&sue, NOW + 7 * DAY), Err(WhyNot::NothingWaits), "it needs two again");
    // Another who asks takes the first one's place, and cannot allow it alone either.
    case.act(&sam, Act::AskExport, NOW + 7 * DAY).expect("nobody allowed it yet");
    assert_eq!(case.act(&sam, Act::AllowExport, NOW + 7 * DAY), Err(WhyNot::SamePerson(sam.id)));
}

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Act),
    Appeal(bool),
    Wait(u64),
}

fn people() -> Vec<Staff> {
    use Role::{Auditor, Moderator, Senior};
    let roles = [("ada", Moderator), ("bob", Moderator), ("sue", Senior), ("sam", Senior), ("eve", Auditor)];
    roles.map(|(name, role)| staff(name, role)).to_vec()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let measure = prop_oneof![
        Just(Measure::Dismiss),
        Just(Measure::Warn),
        (0..400_u32).prop_map(|days| Measure::Suspend { days }),
        (0..400_u32).prop_map(|days| Measure::RestrictFirstContact { days }),
        Just(Measure::Ban),
    ];
    let decide = (measure, any::<bool>()).prop_map(|(measure, right)| Act::Decide {
        measure,
        against: if right { MALLORY } else { ALICE },
        ground: Category::Fraud,
        explanation: "because".into(),
        seen: 1,
    });
    let act = prop_oneof![
        3 => Just(Act::Claim),
        1 => Just(Act::Release),
        4 => decide,
        1 => Just(Act::AskExport),
        1 => Just(Act::AllowExport),
    ];
    let step = prop_oneof![
        8 => (0..people().len(), act).prop_map(|(who, act)| Step::Act(who, act)),
        1 => any::<bool>().prop_map(Step::Appeal),
        1 => prop_oneof![Just(HOUR), Just(5 * HOUR), Just(8 * DAY)].prop_map(Step::Wait),
    ];
    vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever people try, in whatever order: the case was decided, appealed and exported only by who may.
    #[test]
    fn nobody_gets_round_the_rules(steps in steps(), group in any::<bool>()) {
        let people = people();
        let role = |id: &StaffId| people.iter().find(|one| one.id == *id).map(|one| one.role);
        let subject = if group { Subject::Room([7; 32]) } else { Subject::Account(MALLORY) };
        let (mut case, mut now) = (Case { subject, ..case() }, NOW);
        for step in steps {
            let before = case.clone();
            match step {
                Step::Wait(ms) => now += ms,
                Step::Appeal(right) => {
                    let by = if right { MALLORY } else { ALICE };
                    if case.appeal(&by, "no", now).is_ok() {
                        prop_assert!(before.appeal.is_none());
                        prop_assert_eq!(before.decision.as_ref().map(|first| first.against), Some(by));
                        prop_assert_ne!(before.decision.as_ref().map(|first| first.measure), Some(Measure::Dismiss));
                    } else {
                        prop_assert_eq!(&case, &before);
                    }
                }
                Step::Act(who, act) => {
                    let who = &people[who];
                    if case.act(who, act.clone(), now).is_err() {
                        prop_assert_eq!(&case, &before, "what is refused changes nothing");
                        continue;
                    }
                    prop_assert_ne!(who.role, Role::Auditor);
                    let holder = before.claimed_by(now);
                    match act {
                        Act::Claim => prop_assert!(holder.is_none_or(|holder| *holder == who.id)),
                        Act::Release => prop_assert!(holder == Some(&who.id) || who.role == Role::Senior),
                        Act::Decide { .. } => prop_assert_eq!(holder, Some(&who.id)),
                        Act::AskExport | Act::AllowExport => {}
                    }
                }
            }
            // A decision stands as it was made.
            prop_assert!(before.decision.is_none() || before.decision == case.decision);
            let decided_again = before.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref());
            prop_assert!(decided_again.is_none() || before.appeal == case.appeal);
            if let Some(first) = &case.decision {
                prop_assert!(first.measure != Measure::Ban || role(&first.by) == Some(Role::Senior));
                prop_assert!(group || first.against == MALLORY);
                if let Some(second) = case.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref()) {
                    prop_assert_ne!(&first.by, &second.by);
                    prop_assert_eq!(first.against, second.against);
                    prop_assert!(second.measure != Measure::Ban || first.measure == Measure::Ban);
                    let ends = |decision: &Decision| decision.measure.until_ms(decision.at_ms);
                    let (_, until) = case.in_force().expect("it was decided");
                    prop_assert!(ends(first) == 0 || until <= ends(first));
                }
            } else {
                prop_assert!(case.appeal.is_none());
            }
            for one in &people {
                if case.may_fetch(one, now).is_ok() {
                    prop_assert_ne!(one.role, Role::Auditor);
                    let export = case.export.as_ref().expect("it may be fetched");
                    let allowed = export.allowed.as_ref().expect("it may be fetched");
                    prop_assert_ne!(&export.asked.by, &allowed.by);
                    prop_assert!(one.id == export.asked.by || one.id == allowed.by);
                    prop_assert_eq!(role(&allowed.by), Some(Role::Senior));
                    prop_assert!(now < allowed.at_ms + 7 * DAY);
                }
            }
        }
    }
}
