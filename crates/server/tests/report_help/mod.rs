//! People who say things that can be reported, who report them, and who decide.

#![allow(dead_code, reason = "each test file uses a part")]

use zegel_cases::{Act, Case, Category, Measure, Role, Staff, StaffId};
use zegel_content::Content;
use zegel_desk::{Office as _, OfficeResult};
use zegel_franking::{Context, franking_tag, stamp};
use zegel_proto::{
    AccountId, GroupId, SubmissionId,
    v1::{self, client_frame as ask, server_frame as tell},
};
use zegel_proto::{Message as _, room_of, room_uri, user_uri};
use zegel_server::{
    service::Desk,
    store::{StaffRow, Tx},
};

use crate::service_help::{Group, Person, World};

/// A message as its receiver could disclose it.
#[derive(Clone)]
pub struct Said {
    pub stamped: v1::Stamped,
    pub content: Vec<u8>,
}

impl Said {
    pub fn disclosed(&self) -> v1::Disclosed {
        v1::Disclosed { stamped: Some(self.stamped.clone()), content: self.content.clone().into() }
    }
    pub fn withheld(&self) -> v1::Disclosed {
        v1::Disclosed { stamped: Some(self.stamped.clone()), content: Default::default() }
    }
    pub fn context(&self) -> Context {
        Context::from_bytes(&self.stamped.context).expect("a context")
    }
    /// The same content with this context, stamped with the world's real key if it has it.
    pub fn stamped_anew(&self, world: &World, change: impl FnOnce(&mut Context)) -> Self {
        let mut context = self.context();
        let key = context.key_id;
        change(&mut context);
        let mac = stamp(world.keys().franking().get(key).expect("the key"), &context);
        let stamped = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: mac.to_vec().into() };
        Self { stamped, content: self.content.clone() }
    }
}

/// A conversation that `founder` founded.
pub async fn conversation(founder: &mut Person) -> Group {
    let mut group = Group::new();
    let commit = group.commits(&[]);
    founder.submit(commit).await.expect("founded");
    group
}

pub fn text(sender: &str, group: &GroupId, text: &str) -> Content {
    let (sender, room) = (user_uri("localhost", sender), room_uri("localhost", &room_of(group)));
    Content::text(SubmissionId::random().0, sender, room, 1, text)
}

pub async fn says(sender: &mut Person, group: &Group, words: &str) -> Said {
    let content = text(&sender.handle, &group.id, words);
    says_content(sender, group, &content).await
}

pub async fn says_content(sender: &mut Person, group: &Group, content: &Content) -> Said {
    let bytes = content.encode().expect("within the limits");
    let tag = franking_tag(&content.salt, &bytes);
    let answer = sender.submit(group.franks(&tag, &[])).await.expect("sent");
    Said { stamped: answer.stamps[0].clone(), content: bytes }
}

/// A report about a person, of threats.
pub fn about(account: &AccountId, run: Vec<v1::Disclosed>) -> v1::Report {
    v1::Report {
        id: SubmissionId::random().to_field(),
        category: v1::ReportCategory::Threats.into(),
        note: "he means it".into(),
        about: account.to_field(),
        room: Default::default(),
        run,
    }
}

pub async fn reports(by: &mut Person, report: v1::Report) -> Result<v1::ReportState, v1::Error> {
    match by.call(ask::Body::Report(report)).await? {
        Some(tell::Body::Report(state)) => Ok(state),
        other => panic!("{other:?}"),
    }
}

pub async fn reported(by: &mut Person) -> Vec<v1::ReportState> {
    match by.call(ask::Body::FetchReports(v1::FetchReports {})).await {
        Ok(Some(tell::Body::Reports(answer))) => answer.reports,
        other => panic!("{other:?}"),
    }
}

/// What the service told somebody, newest first; each is signed by the directory's key.
pub async fn told(world: &World, person: &mut Person) -> Vec<v1::Statement> {
    let answer = match person.call(ask::Body::FetchStatements(v1::FetchStatements {})).await {
        Ok(Some(tell::Body::Statements(answer))) => answer.statements,
        other => panic!("{other:?}"),
    };
    answer.iter().map(|signed| opened(world, signed)).collect()
}

pub fn opened(world: &World, signed: &v1::SignedStatement) -> v1::Statement {
    let keys = world.keys();
    let signers = zegel_directory::Signers::verify("localhost", keys.directory().links()).expect("signers");
    let statement =
        zegel_directory::SignedStatement { signer: signed.signer, signature: signed.signature.to_vec() };
    let notice = zegel_directory::Statement::Notice;
    assert!(signers.stated("localhost", notice, &signed.body, &statement), "signed");
    v1::Statement::decode(&signed.body[..]).expect("a statement")
}

/// The desk, with somebody at it.
pub struct AtDesk {
    pub desk: Desk,
    pub staff: Staff,
}

impl AtDesk {
    pub async fn new(world: &World, name: &str, role: Role) -> Self {
        let row = StaffRow {
            name: name.into(),
            role: role.word().into(),
            handle: rand::random(),
            passkeys: "[]".into(),
            removed: false,
        };
        world.write(move |tx: &mut dyn Tx| tx.put_staff(&row)).await;
        Self { desk: Desk::new(world.service.clone()), staff: Staff { id: StaffId(name.into()), role } }
    }

    pub async fn act(&self, case: &str, act: Act) -> OfficeResult<Case> {
        self.desk.act(&self.staff, case.parse().expect("a number"), act).await
    }

    pub async fn sees(&self, case: &str) -> zegel_desk::Whole {
        self.desk.whole(&self.staff, case.parse().expect("a number")).await.expect("a case")
    }

    /// Claims and decides.
    pub async fn decides(&self, case: &str, against: &AccountId, measure: Measure) -> OfficeResult<Case> {
        self.act(case, Act::Claim).await?;
        let seen = self.sees(case).await.line.case.reports;
        let (against, ground, explanation) = (*against, Category::Threats, "so it is".into());
        self.act(case, Act::Decide { measure, against, ground, explanation, seen }).await
    }
}
