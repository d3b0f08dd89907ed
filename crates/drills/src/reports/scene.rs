//! A quarrel, what is reported of it, and what comes of that.

use std::path::Path;

use zegel_audit::{Auditor, Options};
use zegel_content::Content;
use zegel_franking::{Context, franking_tag};
use zegel_proto::{
    AccountId, SubmissionId,
    v1::{self, client_frame as ask, server_frame as tell},
};

use crate::{
    drill::{Failure, Verdict, carried_out, held},
    kit::{Keys, Office, Person, Stage, Stranger, account_of, befriend},
};

/// A message as whoever received it can show it.
#[derive(Clone)]
pub struct Said {
    /// What the service stamped.
    pub stamped: v1::Stamped,
    /// What was said.
    pub content: Content,
}

impl Said {
    /// Disclosed.
    pub fn shown(&self) -> Verdict<v1::Disclosed> {
        self.shown_as(&self.content)
    }

    /// Disclosed as if something else had been said.
    pub fn shown_as(&self, content: &Content) -> Verdict<v1::Disclosed> {
        Ok(v1::Disclosed { stamped: Some(self.stamped.clone()), content: content.encode()?.into() })
    }

    /// Named, and not disclosed.
    pub fn withheld(&self) -> v1::Disclosed {
        v1::Disclosed { stamped: Some(self.stamped.clone()), content: Default::default() }
    }

    /// What its stamp says.
    pub fn context(&self) -> Verdict<Context> {
        Ok(Context::from_bytes(&self.stamped.context)?)
    }

    /// Disclosed under a stamp of the reporter's choice.
    pub fn stamped(&self, context: &Context, stamp: &[u8]) -> Verdict<v1::Disclosed> {
        let stamped =
            v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: stamp.to_vec().into() };
        Ok(v1::Disclosed { stamped: Some(stamped), content: self.content.encode()?.into() })
    }
}

/// Mallory and Bob, who have accepted each other.
pub async fn quarrel(stage: &Stage) -> Verdict<(Person, Person)> {
    let mallory = stage.person("mallory").await?;
    let bob = stage.person("bob").await?;
    befriend(&mallory, &bob).await?;
    Ok((mallory, bob))
}

/// The same, with mailboxes that a changed server fills.
pub async fn quarrel_behind(stage: &Stage) -> Verdict<(Person, Person, Office)> {
    let office = Office::before(stage.address()).await?;
    let mallory = Person::registers("mallory", &office.proxy().url()).await?;
    let bob = Person::registers("bob", &office.proxy().url()).await?;
    befriend(&mallory, &bob).await?;
    Ok((mallory, bob, office))
}

/// Somebody says something, as an honest client says it; what its receivers have of it then.
pub async fn says(who: &Person, to: &str, text: &str) -> Verdict<Said> {
    let content = who.client()?.rogue_content(to, text)?;
    let bytes = content.encode()?;
    let submit = who.client()?.rogue_frame(to, Some(franking_tag(&content.salt, &bytes)), &bytes)?;
    match who.client()?.rogue_call(ask::Body::Submit(submit)).await? {
        tell::Body::Submitted(answer) => {
            let stamped = answer.stamps.into_iter().next().ok_or("a message without a stamp")?;
            Ok(Said { stamped, content })
        }
        other => Err(Failure::NotRun(format!("saying {text:?} was answered with {other:?}"))),
    }
}

/// A report about somebody, of threats.
pub fn about(account: &AccountId, run: Vec<v1::Disclosed>) -> v1::Report {
    v1::Report {
        id: SubmissionId::random().to_field(),
        category: v1::ReportCategory::Threats.into(),
        note: "make it stop".into(),
        about: account.to_field(),
        room: Default::default(),
        run,
    }
}

/// A changed client of a reporter sends a report about somebody, which is taken.
pub async fn reports(by: &Person, of: &Person, run: Vec<v1::Disclosed>) -> Verdict<v1::ReportState> {
    let report = about(&account_of(of)?, run);
    match by.client()?.rogue_call(ask::Body::Report(report)).await? {
        tell::Body::Report(state) => Ok(state),
        other => Err(Failure::NotRun(format!("a report was answered with {other:?}"))),
    }
}

/// Each disclosed message is found as it must be: proven where nothing is expected, else not, for this reason.
pub fn found(what: &str, state: &v1::ReportState, expected: &[&str]) -> Verdict<()> {
    carried_out(state.findings.len() == expected.len(), format!("{what}: {:?}", state.findings))?;
    for (finding, why) in state.findings.iter().zip(expected) {
        match why.is_empty() {
            true => {
                carried_out(finding.is_empty(), format!("{what}: an honest message is proven: {finding}"))?
            }
            false => held(!finding.is_empty(), format!("{what} counts as proven"))?,
        }
        carried_out(finding.contains(why), format!("{what}: {finding:?} says {why:?}"))?;
    }
    let proven = expected.iter().filter(|why| why.is_empty()).count();
    held(state.proven as usize == proven, format!("{what}: {} messages count as proven", state.proven))
}

/// Accounts without conversations: Mallory, whom Bob reported.
pub struct Dispute {
    /// Of Mallory.
    pub mallory: Keys,
    /// Bob's account.
    pub bob: AccountId,
    /// Mallory's connection.
    pub connected: Stranger,
    /// The case's number.
    pub case: String,
}

impl Dispute {
    /// Bob tells the service about Mallory, and shows nothing.
    pub async fn begins(stage: &Stage) -> Verdict<Self> {
        let (mallory, bob) = (Keys::new("mallory"), Keys::new("bob"));
        let connected = Stranger::member(stage.address(), &mallory).await?;
        let mut reporter = Stranger::member(stage.address(), &bob).await?;
        let case = tells(&mut reporter, about(&mallory.account, Vec::new())).await?.case_number;
        Ok(Self { mallory, bob: bob.account, connected, case })
    }

    /// Mallory asks for another look.
    pub async fn appeals(&mut self) -> Verdict<()> {
        let appeal = v1::Appeal { case_number: self.case.clone(), text: "it was not me".into() };
        match self.connected.call(ask::Body::Appeal(appeal)).await? {
            tell::Body::Done(_) => Ok(()),
            other => Err(Failure::NotRun(format!("an appeal was answered with {other:?}"))),
        }
    }
}

/// A report on a bare connection, which is taken.
pub async fn tells(by: &mut Stranger, report: v1::Report) -> Verdict<v1::ReportState> {
    match by.call(ask::Body::Report(report)).await? {
        tell::Body::Report(state) => Ok(state),
        other => Err(Failure::NotRun(format!("a report was answered with {other:?}"))),
    }
}

/// What an auditor keeps who follows the service.
pub async fn follow(stage: &Stage, state: &Path) -> Verdict<()> {
    let options = Options::new(stage.url(), state);
    let followed = move || Auditor::open(options)?.catch_up(|_| {}).map(drop);
    Ok(tokio::task::spawn_blocking(followed).await??)
}
