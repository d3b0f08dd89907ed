//! A desk with its people, and cases to put on it.

#![allow(dead_code, reason = "each test file uses a part")]

use zegel_cases::{
    Act, Appeal, Case, CaseNumber, Category, Claim, Decision, Export, Finding, LogEntry, Measure, Report,
    Role, Shown, Staff, StaffId, Subject,
};
use zegel_desk::{Office as _, OfficeError};
use zegel_proto::v1;
use zegel_server::{
    clock::Now,
    config::Config,
    service::Desk,
    store::{Account, CaseRow, StaffRow},
};

use crate::service_help::{Person, World};

pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// What nobody may find in the log.
pub const NOTE: &str = "he wants pictures of me";

pub struct Floor {
    pub world: World,
    pub desk: Desk,
    pub bob: Person,
    pub alice: Person,
}

pub fn staff(name: &str, role: Role) -> Staff {
    Staff { id: StaffId(name.into()), role }
}
pub fn ada() -> Staff {
    staff("ada", Role::Moderator)
}
pub fn ben() -> Staff {
    staff("ben", Role::Moderator)
}
pub fn sia() -> Staff {
    staff("sia", Role::Senior)
}
pub fn sol() -> Staff {
    staff("sol", Role::Senior)
}
pub fn aud() -> Staff {
    staff("aud", Role::Auditor)
}

pub fn now() -> u64 {
    Now::get().ms
}

impl Floor {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// Bob, who is reported, Alice, who reports, and five people at the desk.
    pub async fn with(config: Config) -> Self {
        let world = World::with(config).await;
        world
            .write(|tx| {
                for (n, staff) in (1..).zip([ada(), ben(), sia(), sol(), aud()]) {
                    let (name, role) = (staff.id.0, staff.role.word().into());
                    let passkeys = "[\"{}\"]".into();
                    tx.put_staff(&StaffRow { name, role, handle: [n; 16], passkeys, removed: false })?;
                }
                Ok(())
            })
            .await;
        let (bob, alice) = (world.adult("bob.the.builder").await, world.adult("alice.liddell").await);
        let desk = Desk::new(world.service.clone());
        Self { world, desk, bob, alice }
    }

    /// A case about Bob with two reports of Alice, as `change` makes it.
    pub async fn case(&self, change: impl FnOnce(&mut Case)) -> CaseNumber {
        let mut case = self.new_case();
        change(&mut case);
        let number = case.number;
        self.desk.put(vec![(case, vec![report(&self.alice), report(&self.alice)])]).await.expect("put");
        number
    }

    /// A case with so many empty reports, and then one that proves something.
    pub async fn crowd(&self, empty: usize) -> CaseNumber {
        self.crowd_in(|_| (), empty).await
    }

    pub async fn crowd_in(&self, change: impl FnOnce(&mut Case), empty: usize) -> CaseNumber {
        let mut reports = vec![report(&self.alice); empty];
        let text = "I am eleven.".to_owned();
        let shown = Shown {
            finding: Finding::Proven,
            gap: 0,
            sender: self.bob.account.to_hex(),
            handle: self.bob.handle.clone(),
            accepted_ms: now(),
            seq: 7,
            content: hex::encode(&text),
            text,
            context: "00".into(),
            stamp: "00".into(),
        };
        reports.push(Report { run: vec![shown], made_ms: now() + 1, ..report(&self.alice) });
        let mut case = Case { reports: reports.len() as u32, disclosed: 1, proven: 1, ..self.new_case() };
        change(&mut case);
        let number = case.number;
        self.desk.put(vec![(case, reports)]).await.expect("put");
        number
    }

    fn new_case(&self) -> Case {
        Case {
            number: CaseNumber::new(rand::random()),
            subject: Subject::Account(self.bob.account),
            handle: self.bob.handle.clone(),
            opened_ms: now(),
            category: Category::Grooming,
            reports: 2,
            disclosed: 0,
            proven: 0,
            claim: None,
            decision: None,
            appeal: None,
            export: None,
            rule: None,
        }
    }

    pub async fn row(&self, number: CaseNumber) -> CaseRow {
        self.world.read(move |tx| tx.case(number.get())).await.expect("a case")
    }

    pub async fn account(&self) -> Account {
        let id = self.bob.account;
        self.world.read(move |tx| tx.account(&id)).await.expect("an account")
    }

    pub async fn log(&self) -> Vec<LogEntry> {
        let mut entries = self.desk.log(&aud()).await.expect("the log").0;
        entries.reverse();
        // That these tests look is not what they are about.
        entries.retain(|entry| entry.act != "see-log");
        entries
    }

    /// Claims and decides.
    pub async fn decides(
        &self,
        who: &Staff,
        number: CaseNumber,
        measure: Measure,
    ) -> Result<Case, OfficeError> {
        self.desk.act(who, number, Act::Claim).await?;
        self.desk.act(who, number, self.decision(measure)).await
    }

    pub fn decision(&self, measure: Measure) -> Act {
        let explanation = "You asked a child for pictures.".into();
        Act::Decide { measure, against: self.bob.account, ground: Category::Grooming, explanation, seen: 2 }
    }

    pub async fn appeals(&mut self, number: CaseNumber) {
        let call = v1::Appeal { case_number: number.to_string(), text: "It was a joke.".into() };
        let answer = self.bob.call(v1::client_frame::Body::Appeal(call)).await;
        answer.expect("the appeal is taken");
    }
}

pub fn report(by: &Person) -> Report {
    Report {
        reporter: by.account,
        handle: by.handle.clone(),
        category: Category::Grooming,
        note: NOTE.into(),
        made_ms: now(),
        room: String::new(),
        run: Vec::new(),
        earlier: (0, 0),
        young: true,
    }
}

pub fn claim(by: &Staff, ago_ms: u64) -> Claim {
    Claim { by: by.id.clone(), at_ms: now() - ago_ms }
}

pub fn allowed(ago_ms: u64) -> Option<Export> {
    Some(Export { asked: claim(&ada(), ago_ms), allowed: Some(claim(&sia(), ago_ms)), reports: 2 })
}

/// Decided by `by`, and appealed.
pub fn appealed(case: &mut Case, by: &Staff, measure: Measure) {
    let Subject::Account(against) = case.subject else { panic!("about a person") };
    let (ground, explanation, by, at_ms) = (Category::Grooming, "Why.".into(), by.id.clone(), now() - 1000);
    case.decision = Some(Decision { measure, against, ground, explanation, by, at_ms });
    case.appeal = Some(Appeal { text: "No.".into(), at_ms: now(), decision: None });
}

/// The statements in somebody's mailbox.
pub async fn told(person: &Person) -> Vec<v1::Statement> {
    use zegel_proto::Message as _;
    let statements = person.bodies().await.into_iter().filter_map(|body| match body {
        v1::entry::Body::Statement(signed) => {
            Some(v1::Statement::decode(&signed.body[..]).expect("a statement"))
        }
        _ => None,
    });
    statements.collect()
}
