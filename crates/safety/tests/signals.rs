//! How many people did something: never more than there were, not fewer because of more, and not for long.

use std::collections::HashSet;

use proptest::{collection::vec, prelude::*};
use zegel_proto::v1::AgeBand;
use zegel_safety::{Introduction, Lately, Policy, Shown, Signal, Signals, Then, WatchedRule, judge};

const ABOUT: [u8; 16] = [0xee; 16];
const ALL: [Signal; 6] = [
    Signal::Declined,
    Signal::Blocked,
    Signal::Reported,
    Signal::MinorTried,
    Signal::MinorReached,
    Signal::AdultReached,
];

fn person(n: u16) -> [u8; 16] {
    let mut id = [5; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    id
}

/// So many people declined it today.
fn declined(salt: u8, people: u16, today: u32) -> Signals {
    let mut signals = Signals::new([salt; 32]);
    (0..people).for_each(|n| signals.note(&ABOUT, Signal::Declined, &person(n), today));
    signals
}

/// Signal, by whom, on which day.
fn notes() -> impl Strategy<Value = Vec<(Signal, u16, u32)>> {
    vec((prop::sample::select(&ALL[..]), 0..80_u16, 1000..1040_u32), 0..200)
}

proptest! {
    /// Each person counts once, whatever they did and how often; what is too old counts for nothing.
    #[test]
    fn it_counts_people_of_these_days(notes in notes(), today in 1000..1040_u32, days in 1..29_u32, salt: [u8; 32]) {
        let mut signals = Signals::new(salt);
        for (signal, by, day) in &notes {
            signals.note(&ABOUT, *signal, &person(*by), *day);
        }
        // All but adults whom it came to, whom nobody counts.
        for asked in [&[Signal::Declined][..], &[Signal::MinorTried, Signal::MinorReached], &ALL[..5]] {
            let recent = |day: u32| day <= today && today < day + days;
            let were: HashSet<_> = notes
                .iter()
                .filter(|(signal, _, day)| asked.contains(signal) && recent(*day))
                .map(|(_, by, _)| by)
                .collect();
            let counted = signals.people(&ABOUT, asked, today, days) as usize;
            prop_assert!(counted <= were.len());
            // Blocks of whom it never came to are left out on purpose.
            prop_assert!(asked.contains(&Signal::Blocked) || counted + 12 >= were.len());
        }
        // Of others nothing is said.
        prop_assert_eq!(signals.people(&[1; 16], &ALL, today, days), 0);
    }

    #[test]
    fn more_signs_never_count_less(notes in notes(), today in 1000..1040_u32, salt: [u8; 32]) {
        let (policy, mut signals) = (Policy::shipped(), Signals::new(salt));
        let mut before = (0, Lately::default(), 0);
        for (signal, by, day) in &notes {
            signals.note(&ABOUT, *signal, &person(*by), *day);
            let lately = signals.lately(&policy, &ABOUT, today);
            let fired = signals.fired(&policy, &ABOUT, today).len();
            let now = (signals.people(&ABOUT, &ALL, today, 7), lately, fired);
            prop_assert!(now.0 >= before.0 && now.2 >= before.2);
            prop_assert!(lately.declined >= before.1.declined);
            prop_assert!(lately.reported >= before.1.reported);
            prop_assert!(lately.minors >= before.1.minors);
            before = now;
        }
    }

    /// What is swept away is what would not have counted, and after four weeks everything.
    #[test]
    fn forgetting_takes_only_what_is_over(notes in notes(), today in 1000..1070_u32, days in 1..29_u32) {
        let mut signals = Signals::new([3; 32]);
        for (signal, by, day) in &notes {
            signals.note(&ABOUT, *signal, &person(*by), *day);
        }
        let before: Vec<_> = ALL.map(|signal| signals.people(&ABOUT, &[signal], today, days)).into();
        signals.forget_old(today);
        let after: Vec<_> = ALL.map(|signal| signals.people(&ABOUT, &[signal], today, days)).into();
        prop_assert_eq!(before, after);
        signals.forget_old(1040 + 28);
        prop_assert_eq!(signals.people(&ABOUT, &ALL, 1039, 28), 0);
    }

    /// A crowd that an account never came to can say nothing against it: at most as many blocks count as it came to.
    #[test]
    fn a_crowd_of_strangers_blocks_in_vain(came_to in 0..6_u16, crowd in 0..1000_u16, salt: [u8; 32]) {
        let mut signals = Signals::new(salt);
        for n in 0..came_to {
            signals.note(&ABOUT, Signal::AdultReached, &person(n), 1000);
        }
        for n in 0..crowd {
            signals.note(&ABOUT, Signal::Blocked, &person(1000 + n), 1001);
        }
        prop_assert!(signals.people(&ABOUT, &[Signal::Blocked], 1001, 7) <= u32::from(came_to));
        prop_assert!(signals.fired(&Policy::shipped(), &ABOUT, 1001).is_empty());
    }
}

/// Even of somebody who comes to many: a stranger passes for one of three hundred fewer than once in a hundred times.
#[test]
fn a_thousand_strangers_do_not_restrict_who_came_to_three_hundred_others() {
    for salt in 0..20 {
        let mut signals = Signals::new([salt; 32]);
        (0..300).for_each(|n| signals.note(&ABOUT, Signal::AdultReached, &person(n), 1000));
        (1000..2000).for_each(|n| signals.note(&ABOUT, Signal::Blocked, &person(n), 1001));
        assert!(signals.people(&ABOUT, &[Signal::Blocked], 1001, 7) <= 11, "{salt}");
        assert!(signals.fired(&Policy::shipped(), &ABOUT, 1001).is_empty());
        // Those may.
        (0..50).for_each(|n| signals.note(&ABOUT, Signal::Blocked, &person(n), 1001));
        assert_eq!(signals.fired(&Policy::shipped(), &ABOUT, 1001).len(), 1);
    }
}

#[test]
fn whom_it_came_to_may_block_it_for_four_weeks() {
    // The first day of a week, and the last: it is kept by the week, so that it may be a few days less.
    for (reached, day, last) in
        [(Signal::MinorReached, 1001, 27), (Signal::AdultReached, 1001, 27), (Signal::AdultReached, 1007, 21)]
    {
        for (later, counts) in [(0, 1), (last, 1), (last + 1, 0)] {
            let mut signals = Signals::new([7; 32]);
            signals.note(&ABOUT, reached, &person(1), day);
            signals.note(&ABOUT, Signal::Blocked, &person(1), day + later);
            assert_eq!(
                signals.people(&ABOUT, &[Signal::Blocked], day + later, 7),
                counts,
                "{reached:?} {later}"
            );
        }
    }
}

#[test]
fn who_declines_and_blocks_is_one_person() {
    let mut signals = Signals::new([7; 32]);
    for signal in [Signal::AdultReached, Signal::Declined, Signal::Blocked] {
        signals.note(&ABOUT, signal, &person(1), 1000);
    }
    assert_eq!(signals.people(&ABOUT, &[Signal::Declined, Signal::Blocked], 1000, 7), 1);
}

#[test]
fn a_rule_never_acts_on_fewer_than_it_says_and_surely_on_twice_as_many() {
    let policy = Policy::shipped();
    let numbers = policy.unwanted.numbers;
    let least = numbers.people as u16;
    let mut begins = HashSet::new();
    for salt in 0..60 {
        let fires = |people| declined(salt, people, 1000).fired(&policy, &ABOUT, 1000);
        let first = (0..least * 3).find(|people| !fires(*people).is_empty()).expect("some number is enough");
        assert!((least..least * 2 + least / 2).contains(&first), "{first}");
        begins.insert(first);
        let fired = fires(first);
        assert_eq!(
            (fired[0].rule, fired[0].least, fired[0].then),
            (WatchedRule::Unwanted, numbers.people, Then::Restrict)
        );
        assert!((u32::from(least)..=u32::from(first)).contains(&fired[0].counted));
        assert!(declined(salt, least * 3, 1000).fired(&policy, &ABOUT, 1000 + numbers.days).is_empty());
    }
    // Where exactly it begins, nobody can know.
    assert!(begins.len() > 5, "{begins:?}");
}

#[test]
fn what_receivers_are_told_begins_at_a_secret_number_of_its_own() {
    let policy = Policy::shipped();
    let numbers = policy.notices.numbers;
    let mut apart = 0;
    for salt in 0..60 {
        let mut signals = declined(salt, numbers.declined_people as u16 - 1, 1000);
        assert!(!signals.lately(&policy, &ABOUT, 1000).declined);
        let mut many = declined(salt, numbers.declined_people as u16 * 3, 1000);
        let told = many.lately(&policy, &ABOUT, 1000);
        assert!(told.declined && !told.reported && !told.minors);
        // It is said for as long as it looks back, and no longer.
        assert!(many.lately(&policy, &ABOUT, 1000 + numbers.days - 1).declined);
        assert!(!many.lately(&policy, &ABOUT, 1000 + numbers.days).declined);
        let first =
            |told: &dyn Fn(&mut Signals) -> bool| (0..40).find(|n| told(&mut declined(salt, *n, 1000)));
        let notice = first(&|signals| signals.lately(&policy, &ABOUT, 1000).declined);
        let rule = first(&|signals| !signals.fired(&policy, &ABOUT, 1000).is_empty());
        let secret =
            |first: Option<u16>, least: u32| u32::from(first.expect("some number is enough")) - least;
        let notice = secret(notice, numbers.declined_people);
        let rule = secret(rule, policy.unwanted.numbers.people);
        apart += u32::from(rule % numbers.declined_people != notice);
    }
    // Who learns the one from a request of their own does not know the other.
    assert!(apart > 20, "{apart}");
}

/// With accounts of one's own one finds out how many it takes; the next time it is another number.
#[test]
fn where_many_begins_is_drawn_anew_each_time() {
    let policy = Policy::shipped();
    let mut begins = HashSet::new();
    let mut signals = Signals::new([7; 32]);
    for round in 0..20 {
        let today = 1000 + round * 7;
        let begin = (0..60).find(|n| {
            signals.note(&ABOUT, Signal::Declined, &person(*n), today);
            !signals.fired(&policy, &ABOUT, today).is_empty()
        });
        begins.insert(begin.expect("some number is enough"));
    }
    assert!(begins.len() > 5, "{begins:?}");
}

/// Once it was many, that is said for the days that are looked back: whether somebody's own are enough without one more
/// cannot be tried by letting them grow old one by one.
#[test]
fn what_is_many_does_not_end_with_one_person_less() {
    let policy = Policy::shipped();
    let numbers = policy.notices.numbers;
    for salt in 0..20 {
        let mut signals = Signals::new([salt; 32]);
        // All of them a day before the last of these is noted.
        let all = numbers.reported_people as u16 * 3;
        (0..all).for_each(|n| signals.note(&ABOUT, Signal::Reported, &person(n), 1000));
        let seen = 1000 + numbers.days - 1;
        assert!(signals.lately(&policy, &ABOUT, seen).reported);
        signals.note(&ABOUT, Signal::Reported, &person(all), seen);
        for today in seen..seen + numbers.days {
            assert!(signals.lately(&policy, &ABOUT, today).reported);
        }
        // Of one person in these days it is not many.
        assert!(!signals.lately(&policy, &ABOUT, seen + numbers.days).reported);
    }
}

/// A restriction rests on as many people as the rule says on the very day.
#[test]
fn a_rule_acts_on_nothing_that_is_too_old() {
    let policy = Policy::shipped();
    let numbers = policy.unwanted.numbers;
    let mut signals = declined(7, numbers.people as u16 * 3, 1000);
    let seen = 1000 + numbers.days - 1;
    assert_eq!(signals.fired(&policy, &ABOUT, seen).len(), 1);
    assert!(signals.fired(&policy, &ABOUT, seen + 1).is_empty());
}

#[test]
fn who_tries_minors_with_nothing_to_show_is_counted_for_whatever_it_is_dropped() {
    let stranger = Introduction {
        receiver_band: AgeBand::Child,
        sender_is_free: true,
        same_app: true,
        blocked: false,
        shown: Shown::Nothing,
        own_account: false,
    };
    let signal = |it: Introduction| Signal::of(&it, judge(&it));
    for it in [
        stranger,
        Introduction { blocked: true, ..stranger },
        Introduction { sender_is_free: false, ..stranger },
        Introduction { receiver_band: AgeBand::Unknown, blocked: true, ..stranger },
    ] {
        assert_eq!(signal(it), Some(Signal::MinorTried));
        // Not who was given something, which another may have chosen.
        assert_eq!(signal(Introduction { shown: Shown::Invalid, ..it }), None);
        assert_eq!(signal(Introduction { receiver_band: AgeBand::Adult, blocked: true, ..it }), None);
    }
    assert_eq!(signal(Introduction { shown: Shown::Valid, ..stranger }), Some(Signal::MinorReached));
    assert_eq!(signal(Introduction { own_account: true, ..stranger }), None);
}

#[test]
fn a_person_at_the_desk_looks_as_soon_as_the_number_is_reached() {
    let policy = Policy::shipped();
    let least = policy.many_minors.numbers.people as u16;
    let mut signals = Signals::new([7; 32]);
    for n in 0..least * 2 {
        let fired = signals.fired(&policy, &ABOUT, 1000);
        let people = signals.people(&ABOUT, &[Signal::MinorTried], 1000, 7);
        assert_eq!(fired.len(), usize::from(people >= u32::from(least)), "{n}");
        assert!(fired.iter().all(|fired| fired.then == Then::Desk && fired.rule == WatchedRule::ManyMinors));
        signals.note(&ABOUT, Signal::MinorTried, &person(n), 1000);
    }
    assert_eq!(signals.fired(&policy, &ABOUT, 1000).len(), 1);
}

/// A teacher with codes of all classes is brought to nobody; receivers are told all the same.
#[test]
fn minors_who_gave_a_code_bring_nobody_to_the_desk() {
    let policy = Policy::shipped();
    let mut signals = Signals::new([7; 32]);
    (0..200).for_each(|n| signals.note(&ABOUT, Signal::MinorReached, &person(n), 1000));
    let least = policy.many_minors.numbers.people as u16;
    (200..200 + least - 1).for_each(|n| signals.note(&ABOUT, Signal::MinorTried, &person(n), 1000));
    assert!(signals.fired(&policy, &ABOUT, 1000).is_empty());
    assert!(signals.lately(&policy, &ABOUT, 1000).minors);
}
