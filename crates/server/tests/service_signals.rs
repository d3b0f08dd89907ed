//! What others did to an account or met with from it: whom receivers are told about, whom a rule restricts, whom the desk
//! looks at, and that nobody can bring that about alone.

mod report_help;
mod service_help;

use std::time::Duration;

use report_help::*;
use service_help::*;
use zegel_cases::{Act, Case, Category, Measure, RULES, Role, State};
use zegel_desk::Office as _;
use zegel_proto::{
    AccountId, token_hash,
    v1::{self, AgeBand, client_frame as ask, entry::Body, statement::Kind},
};
use zegel_server::{
    clock::Now,
    config::{Config, Rate},
    store::{AccountState, Invite},
};

/// Enough for a rule that says 3: where exactly it begins, up to 5, is a secret, and two of these may count as one.
const MANY: usize = 9;

fn config() -> Config {
    let mut config = Config::default();
    config.limits.register_per_address = Rate { burst: 200, per_hour: 200 };
    config.safety.unwanted.numbers.people = 3;
    config.safety.many_minors.numbers.people = 4;
    config
}

/// The same, where one person is many.
fn one_is_many() -> Config {
    let mut config = config();
    let notices = &mut config.safety.notices.numbers;
    (notices.declined_people, notices.reported_people, notices.minors) = (1, 1, 1);
    config
}

/// `by` gets an introduction of `pest` and declines it.
async fn declines(by: &mut Person, pest: &mut Person) {
    let to = by.publish(1).await[0];
    introduces(pest, to, None).await;
    let declined = pest.account.to_field();
    let call = v1::DeleteAddresses { addresses: vec![to.to_field()], declined };
    by.call(ask::Body::DeleteAddresses(call)).await.expect("declined");
}

async fn blocks(by: &mut Person, pest: &Person) {
    let block = v1::Block { account: pest.account.to_field(), lift: false };
    by.call(ask::Body::Block(block)).await.expect("blocked");
}

async fn adults(world: &World, name: &str, many: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for n in 0..many {
        people.push(world.adult(&format!("{name}{n}")).await);
    }
    people
}

/// Whether a stranger gets what this account sends.
async fn reaches(world: &World, pest: &mut Person) -> bool {
    let mut stranger = world.adult(&format!("stranger{}", rand::random::<u32>())).await;
    let to = stranger.publish(1).await[0];
    introduces(pest, to, None).await;
    !stranger.bodies().await.is_empty()
}

/// Until whom somebody came to is counted: at most 0.4 s, so that its time tells nothing.
async fn counted() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// What a newcomer is told of `of`.
async fn facts(world: &World, of: &mut Person) -> v1::SenderFacts {
    counted().await;
    let mut dora = world.adult(&format!("dora{}", rand::random::<u32>())).await;
    let to = dora.publish(1).await[0];
    introduces(of, to, None).await;
    let bodies = dora.bodies().await;
    let Some(Body::Introduction(introduction)) = bodies.first() else { panic!("{bodies:?}") };
    introduction.facts.clone().expect("facts")
}

async fn state(world: &World, id: AccountId) -> AccountState {
    let account = world.read(move |tx| tx.account(&id)).await.expect("an account");
    account.state_on(Now::get().day())
}

/// The statements about a person, when there are so many.
async fn told_so_often(world: &World, person: &mut Person, times: usize) -> Vec<v1::Statement> {
    for _ in 0..500 {
        let told = told(world, person).await;
        if told.len() >= times {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} was not told", person.handle);
}

/// Cases of this state, when there are so many.
async fn cases(desk: &AtDesk, state: State, many: usize) -> Vec<Case> {
    for _ in 0..500 {
        let queue = desk.desk.queue(&desk.staff, state, None).await.expect("a queue");
        if queue.lines.len() >= many {
            return queue.lines.into_iter().map(|line| line.case).collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no case came");
}

/// Waits until the rules have looked at everything so far: they look in order, and here is something that they act on.
/// Returns the cases that wait then, without that one.
async fn all_looked_at(world: &World, desk: &AtDesk) -> Vec<Case> {
    counted().await;
    let mut last = world.adult(&format!("last{}", rand::random::<u32>())).await;
    for _ in 0..7 {
        let mut minor = world.person(&format!("kid{}", rand::random::<u32>()), AgeBand::Teen).await;
        let to = minor.publish(1).await[0];
        introduces(&mut last, to, None).await;
    }
    loop {
        let open = cases(desk, State::Open, 1).await;
        if open.iter().any(|case| case.handle == last.handle) {
            return open.into_iter().filter(|case| !case.handle.starts_with("last")).collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn appeal(number: &str) -> ask::Body {
    ask::Body::Appeal(v1::Appeal { case_number: number.into(), text: "I am the new teacher.".into() })
}

#[tokio::test]
async fn whom_many_decline_is_restricted_told_so_and_freed_by_a_person() {
    let world = World::with(config()).await;
    let mut pest = world.adult("pest").await;
    let (mut few, mut many) = (adults(&world, "few", 2).await, adults(&world, "many", MANY).await);
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;

    for by in &mut few {
        declines(by, &mut pest).await;
    }
    all_looked_at(&world, &ada).await;
    assert_eq!(state(&world, pest.account).await, AccountState::Active, "fewer than the rule says");
    for by in &mut many {
        declines(by, &mut pest).await;
    }
    let statements = told_so_often(&world, &mut pest, 1).await;
    let [statement] = &statements[..] else { panic!("{statements:?}") };
    assert_eq!((statement.kind(), &*statement.measure), (Kind::Decision, "restrict-first-contact"));
    for words in ["geen mens", "minstens 3 verschillende mensen, binnen 7 dagen", "  > ", "zegel appeal"] {
        assert!(statement.text.contains(words), "{words:?} is not in\n{}", statement.text);
    }
    for nobody in ["many", "few", "Iemand heeft je bij ons gemeld"] {
        assert!(!statement.text.contains(nobody), "{}", statement.text);
    }
    assert_eq!(state(&world, pest.account).await, AccountState::Restricted);
    assert!(!reaches(&world, &mut pest).await);

    // What is in force is not imposed again, and the desk has it among what was decided.
    let mut more = adults(&world, "more", 2).await;
    for by in &mut more {
        declines(by, &mut pest).await;
    }
    assert!(all_looked_at(&world, &ada).await.is_empty());
    let number = statement.case_number.clone();
    let decided = cases(&ada, State::Decided, 1).await;
    let [case] = &decided[..] else { panic!("{decided:?}") };
    let (ruled, decision) = (case.rule.clone().expect("a rule"), case.decision.clone().expect("a decision"));
    assert_eq!((case.number.to_string(), case.reports), (number.clone(), 0));
    assert_eq!((&*ruled.rule, ruled.least, ruled.days), ("unwanted", 3, 7));
    assert!((3..=2 + MANY as u32).contains(&ruled.counted), "{}", ruled.counted);
    assert_eq!((&*decision.by.0, decision.ground), (RULES, Category::Spam));
    assert_eq!(decision.measure, Measure::RestrictFirstContact { days: 7 });
    let auditor = AtDesk::new(&world, "aud", Role::Auditor).await;
    let (log, _) = auditor.desk.log(&auditor.staff).await.expect("the log");
    let line = log.iter().find(|line| line.case == Some(case.number)).expect("a line");
    assert_eq!((&*line.who.0, &*line.act, &*line.detail), ("service", "rule", ""));
    assert_eq!(line.at_ms % 3_600_000, 0, "the hour and no more");

    // A person decides the appeal.
    pest.call(appeal(&number)).await.expect("taken");
    assert_eq!(cases(&ada, State::Appealed, 1).await.len(), 1);
    ada.act(&number, Act::Claim).await.expect("claimed");
    ada.decides(&number, &pest.account, Measure::Dismiss).await.expect("decided");
    let statements = told_so_often(&world, &mut pest, 3).await;
    let lifted = statements.iter().find(|statement| statement.kind() == Kind::AppealDecision).expect("told");
    assert!(
        lifted.text.contains("nu heeft een mens") && lifted.text.contains("ingetrokken"),
        "{}",
        lifted.text
    );
    assert_eq!(state(&world, pest.account).await, AccountState::Active);
    assert!(reaches(&world, &mut pest).await);

    // And for some days the rule does not undo that.
    let mut again = adults(&world, "again", 2).await;
    for by in &mut again {
        declines(by, &mut pest).await;
    }
    all_looked_at(&world, &ada).await;
    assert_eq!(state(&world, pest.account).await, AccountState::Active);
    assert_eq!(told(&world, &mut pest).await.len(), 3);
}

#[tokio::test]
async fn who_comes_to_many_minors_is_looked_at_and_notices_nothing() {
    let world = World::with(config()).await;
    let (mut pest, mut victim) = (world.adult("pest").await, world.adult("victim").await);
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let mut sent = Vec::new();
    // A class that gave codes is reached, and counts for nothing; those who gave none are not reached at all.
    for (n, band) in [AgeBand::Child, AgeBand::Teen].into_iter().cycle().take(16).enumerate() {
        let mut minor = world.person(&format!("minor{n}"), band).await;
        let to = minor.publish(1).await[0];
        let token = if n < 8 { Some(minor.leave_token().await) } else { None };
        introduces(&mut pest, to, token).await;
        sent.push(minor.bodies().await.len());
        if n == 7 {
            assert!(all_looked_at(&world, &ada).await.is_empty());
        }
    }
    assert_eq!(sent.iter().filter(|got| **got > 0).count(), 8);
    let open = all_looked_at(&world, &ada).await;
    let [case] = &open[..] else { panic!("{open:?}") };
    let ruled = case.rule.clone().expect("a rule");
    assert_eq!((&*ruled.rule, ruled.least, &*case.handle), ("many-minors", 4, "pest"));
    assert!(ruled.counted >= 4 && case.decision.is_none() && case.reports == 0);
    assert!(ruled.says.contains("4 children and teens or more who gave you no code"), "{}", ruled.says);

    // Nothing happened to the account, and only its own messages are in its mailbox.
    assert_eq!(state(&world, pest.account).await, AccountState::Active);
    assert!(reaches(&world, &mut pest).await);
    assert!(told(&world, &mut pest).await.is_empty());
    assert!(pest.bodies().await.iter().all(|body| matches!(body, Body::Confirmation(_))));

    // What somebody reports goes into the same case, and more minors bring no other.
    let group = conversation(&mut pest).await;
    let said = says(&mut pest, &group, "send me a picture").await;
    let report = reports(&mut victim, about(&pest.account, vec![said.disclosed()])).await.expect("taken");
    assert_eq!(report.case_number, case.number.to_string());
    let mut child = world.person("cody", AgeBand::Child).await;
    let to = child.publish(1).await[0];
    introduces(&mut pest, to, None).await;
    let open = all_looked_at(&world, &ada).await;
    let [case] = &open[..] else { panic!("{open:?}") };
    assert_eq!((case.reports, case.proven, case.category), (1, 1, Category::Grooming));
    assert_eq!(case.rule.as_ref(), Some(&ruled));
    let whole = ada.sees(&report.case_number).await;
    assert!(!whole.line.doubtful, "what is proven comes first");

    // A person decides; what the rule counted is told to nobody.
    ada.decides(&report.case_number, &pest.account, Measure::Warn).await.expect("decided");
    let statements = told(&world, &mut pest).await;
    let [statement] = &statements[..] else { panic!("{statements:?}") };
    assert!(statement.text.contains("Een mens heeft dit besloten"), "{}", statement.text);
    assert!(!statement.text.contains("minderjarig") && !statement.text.contains("verschillende mensen"));
    // And for some days the rule lets that stand.
    let to = child.publish(1).await[0];
    introduces(&mut pest, to, None).await;
    assert!(all_looked_at(&world, &ada).await.is_empty());
}

#[tokio::test]
async fn a_crowd_that_was_never_written_to_blocks_in_vain() {
    let mut config = config();
    config.safety.notices.numbers.declined_people = 1;
    let world = World::with(config).await;
    let mut writer = world.adult("writer").await;
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let mut crowd = adults(&world, "crowd", 30).await;
    for by in &mut crowd {
        blocks(by, &writer).await;
    }
    all_looked_at(&world, &ada).await;
    assert_eq!(state(&world, writer.account).await, AccountState::Active);
    assert!(!facts(&world, &mut writer).await.declined_lately);

    // The block of somebody whom they came to counts, also when it was accepted first.
    let mut reader = world.adult("reader").await;
    let to = reader.publish(1).await[0];
    let (group, _) = introduces(&mut writer, to, None).await;
    reader.accept(&to, &group.id).await.expect("accepted");
    assert!(!facts(&world, &mut writer).await.declined_lately);
    blocks(&mut reader, &writer).await;
    assert!(facts(&world, &mut writer).await.declined_lately);
}

#[tokio::test]
async fn an_account_is_called_new_for_as_many_days_as_the_rules_say() {
    let mut config = config();
    // Longer than the step of age that it is shown as.
    config.safety.notices.numbers.new_days = 40;
    let world = World::with(config).await;
    let mut writer = world.adult("writer").await;
    for (days, new) in [(0, true), (39, true), (40, false)] {
        let (mut account, handle) = (world.account(writer.account).await, writer.handle.clone());
        account.created_day = Now::get().day() - days;
        world.write(move |tx| tx.put_account(&account, &handle)).await;
        assert_eq!(facts(&world, &mut writer).await.new, new, "{days} days");
    }
}

#[tokio::test]
async fn accounts_of_one_invite_for_one_person_count_once() {
    let world = World::with(config()).await;
    let mut pest = world.adult("pest").await;
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    for for_one in [true, false] {
        let (code, expires_day) = (format!("for.one.{for_one}"), Now::get().day());
        let (hash, age_band) = (token_hash(code.as_bytes()), Some(AgeBand::Adult));
        let invite = Invite { uses: 20, age_band, for_one, expires_day };
        world.write(move |tx| tx.put_invite(&hash, &invite)).await;
        for n in 0..MANY {
            let mut puppet = Person::unregistered(&world, &format!("puppet.{for_one}.{n}")).await;
            puppet.register(AgeBand::Unknown, &code).await.expect("registered");
            puppet.connect().await.expect("connected");
            declines(&mut puppet, &mut pest).await;
            blocks(&mut puppet, &pest).await;
        }
        all_looked_at(&world, &ada).await;
        // Of other accounts the service cannot know whose they are.
        let expected = if for_one { AccountState::Active } else { AccountState::Restricted };
        assert_eq!(state(&world, pest.account).await, expected);
    }
}

#[tokio::test]
async fn receivers_are_told_of_what_is_proven_and_of_whom_it_reached() {
    let mut world = World::with(one_is_many()).await;
    let (mut pest, mut victim) = (world.adult("pest").await, world.adult("victim").await);
    let (mut child, mut other) =
        (world.person("cody", AgeBand::Child).await, world.person("tess", AgeBand::Teen).await);
    let told = |facts: v1::SenderFacts| (facts.declined_lately, facts.reported_lately, facts.minors_lately);
    // A report that proves nothing counts for nothing, nor does a minor who was not reached.
    reports(&mut victim, about(&pest.account, vec![])).await.expect("taken");
    let to = child.publish(1).await[0];
    introduces(&mut pest, to, None).await;
    assert_eq!(told(facts(&world, &mut pest).await), (false, false, false));

    let group = conversation(&mut pest).await;
    let said = says(&mut pest, &group, "I know where you live").await;
    reports(&mut victim, about(&pest.account, vec![said.disclosed()])).await.expect("taken");
    assert_eq!(told(facts(&world, &mut pest).await), (false, true, false));
    let (token, to) = (other.leave_token().await, other.publish(1).await[0]);
    introduces(&mut pest, to, Some(token)).await;
    assert_eq!(told(facts(&world, &mut pest).await), (false, true, true));
    declines(&mut victim, &mut pest).await;
    assert_eq!(told(facts(&world, &mut pest).await), (true, true, true));
    // Of others nothing is said.
    assert_eq!(told(facts(&world, &mut victim).await), (false, false, false));

    // None of it is on a disk.
    world.restart(one_is_many()).await;
    let mut session = world.session().await;
    (pest.service, session.device) = (world.service.clone(), pest.session.device);
    pest.session = session;
    assert_eq!(told(facts(&world, &mut pest).await), (false, false, false));
}

#[tokio::test]
async fn what_a_person_decided_needs_no_rule_beside_it() {
    let world = World::with(config()).await;
    let mut pest = world.adult("pest").await;
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let mut many = adults(&world, "many", MANY).await;
    let mut addresses = Vec::new();
    for by in &mut many {
        let to = by.publish(1).await[0];
        introduces(&mut pest, to, None).await;
        addresses.push(to);
    }
    let id = pest.account;
    world.write(move |tx| tx.set_account_state(&id, AccountState::Restricted, 0)).await;
    for (by, to) in many.iter_mut().zip(addresses) {
        let call = v1::DeleteAddresses { addresses: vec![to.to_field()], declined: id.to_field() };
        by.call(ask::Body::DeleteAddresses(call)).await.expect("declined");
    }
    assert!(all_looked_at(&world, &ada).await.is_empty());
    assert!(told(&world, &mut pest).await.is_empty());
}
