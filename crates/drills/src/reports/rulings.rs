//! Those who were decided about, and those who decided.

use zegel_proto::{
    Code, GroupId,
    v1::{self, client_frame::Body as Call, server_frame as tell},
};

use super::scene::{Dispute, about};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Seat, Stage, Stranger, code_of},
};

/// Banned, and here all the same.
pub const BANNED: Drill = Drill {
    name: "banned-client",
    attacker: Attacker::ExMember,
    attempt: "Mallory is banned and changes her client: it connects as if to appeal, and then writes, reports others, takes key packages and fills mailboxes.",
    defence: "Such a connection takes seven calls, all about oneself: to read what was decided, to appeal, to see what is held, and to delete the account.",
    caught: "at once: every other call is refused",
    run: |stage| Box::pin(banned(stage)),
};

async fn banned(stage: &Stage) -> Verdict {
    let mut dispute = Dispute::begins(stage).await?;
    let sam = Seat::takes(stage, "senior", "sam").await?;
    sam.decides(&dispute.case, "ban").await?;
    // What was asked before the end came may still be answered.
    let mut answered = 0;
    while answered < 20 && dispute.connected.call(Call::FetchReports(v1::FetchReports {})).await.is_ok() {
        answered += 1;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    held(answered < 20, "the connection that she had goes on")?;
    let mut usual = Stranger::connect(stage.address()).await?;
    let answer = usual.authenticate(&dispute.mallory).await?;
    held(code_of(&answer) == Some(Code::Suspended), "a banned device connects as before")?;

    let mut appealing = Stranger::connect(stage.address()).await?;
    let answer = appealing.authenticate_to_appeal(&dispute.mallory).await?;
    carried_out(matches!(answer, tell::Body::Authenticated(_)), "connecting to appeal")?;
    let calls = calls(&dispute);
    let count = calls.len();
    for (what, call) in calls {
        match appealing.call(call).await? {
            tell::Body::Error(error) if error.message.contains("to read statements and to appeal") => {}
            other => return Err(Failure::Succeeded(format!("who is banned may {what}: {other:?}"))),
        }
    }
    let answer = appealing.call(Call::FetchStatements(v1::FetchStatements {})).await?;
    let told = matches!(&answer, tell::Body::Statements(told) if !told.statements.is_empty());
    carried_out(told, "reading the decision")?;
    dispute.connected = appealing;
    dispute.appeals().await?;
    Ok(format!("{count} of {count} other calls are refused; the decision can be read, and appealed"))
}

/// What she has no business with.
fn calls(of: &Dispute) -> Vec<(&'static str, Call)> {
    let report = about(&of.bob, Vec::new());
    let group_id = GroupId::random().to_field();
    let submit = v1::Submit { group_id, message: vec![1; 64].into(), ..Default::default() };
    vec![
        ("report others", Call::Report(report)),
        (
            "look into histories",
            Call::FetchHistory(v1::FetchHistory { handle: "bob".into(), most_recent: 1 }),
        ),
        ("write", Call::Submit(submit)),
        (
            "take key packages",
            Call::FetchKeyPackages(v1::FetchKeyPackages { accounts: vec![of.bob.to_field()] }),
        ),
        ("leave key packages", Call::PublishKeyPackages(v1::PublishKeyPackages::default())),
        ("give out addresses", Call::BindAddress(v1::BindAddress::default())),
        ("take addresses back", Call::DeleteAddresses(v1::DeleteAddresses::default())),
        ("accept", Call::AcceptAddress(v1::AcceptAddress::default())),
        ("block", Call::Block(v1::Block::default())),
        ("leave tokens", Call::PutToken(v1::PutToken::default())),
        ("leave files", Call::PutBlob(v1::PutBlob::default())),
        ("fetch files", Call::GetBlob(v1::GetBlob::default())),
        ("change its devices", Call::AppendChain(v1::AppendChain::default())),
        ("ask to be let in again", Call::RequestRejoin(v1::RequestRejoin::default())),
    ]
}

/// Judge in one's own cause.
pub const OWN_APPEAL: Drill = Drill {
    name: "own-appeal",
    attacker: Attacker::Desk,
    attempt: "A moderator decides the appeal against her own decision, by the buttons and by a form that she makes herself.",
    defence: "Whoever decided first can neither claim nor decide what is appealed.",
    caught: "at once, and the log says that she tried",
    run: |stage| Box::pin(own_appeal(stage)),
};

async fn own_appeal(stage: &Stage) -> Verdict {
    let mut dispute = Dispute::begins(stage).await?;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let sam = Seat::takes(stage, "senior", "sam").await?;
    mia.decides(&dispute.case, "warn").await?;
    dispute.appeals().await?;
    let claimed = mia.acts(&dispute.case, "claim").await?;
    held(claimed.status == 409, format!("she may claim it: {}", claimed.status))?;
    let decided = mia.tries(&dispute.case, "warn").await?;
    held(decided.status == 409, format!("she may decide it: {}", decided.status))?;
    // Even if somebody else claimed it and let her at the form.
    let claimed = sam.acts(&dispute.case, "claim").await?;
    carried_out(claimed.status == 303, "somebody else claims the appeal")?;
    held(mia.tries(&dispute.case, "warn").await?.status == 409, "she may decide what another claimed")?;
    let ava = Seat::takes(stage, "auditor", "ava").await?;
    let log = ava.gets("/desk/log").await?.text();
    held(log.contains("decide: this needs another person than mia"), "the log does not say that she tried")?;
    let decided = sam.tries(&dispute.case, "dismiss").await?;
    carried_out(decided.status == 303, format!("somebody else decides it: {}", decided.text()))?;
    Ok("\"this needs another person than mia\"; another decides it, and the log says that mia tried".into())
}

/// One hand washes the other, and both are hers.
pub const LONE_EXPORT: Drill = Drill {
    name: "lone-export",
    attacker: Attacker::Desk,
    attempt: "A senior lets evidence out alone: asks for it and allows it himself, or fetches it without either; a moderator allows it in his place.",
    defence: "Evidence leaves when one person asked and another, a senior, allowed it.",
    caught: "at once, and the log says so",
    run: |stage| Box::pin(lone_export(stage)),
};

async fn lone_export(stage: &Stage) -> Verdict {
    let dispute = Dispute::begins(stage).await?;
    let case = dispute.case.as_str();
    let sam = Seat::takes(stage, "senior", "sam").await?;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    held(sam.acts(case, "evidence").await?.status == 409, "evidence leaves that nobody asked for")?;
    let asked = sam.acts(case, "ask-export").await?;
    carried_out(asked.status == 303, "asking for the evidence")?;
    held(sam.acts(case, "allow-export").await?.status == 409, "who asked for it may allow it")?;
    held(mia.acts(case, "allow-export").await?.status == 403, "a moderator may allow it")?;
    for seat in [&sam, &mia] {
        let fetched = seat.acts(case, "evidence").await?;
        held(fetched.status == 409, "evidence leaves that one person wanted")?;
        held(seat.acts(case, "file").await?.status == 409, "a case is filed that one person wanted to be")?;
    }
    let kim = Seat::takes(stage, "senior", "kim").await?;
    let allowed = kim.acts(case, "allow-export").await?;
    carried_out(allowed.status == 303, "another senior allows it")?;
    held(mia.acts(case, "evidence").await?.status == 409, "who neither asked nor allowed it takes it out")?;
    let fetched = sam.acts(case, "evidence").await?;
    carried_out(
        fetched.bytes.starts_with(b"PK"),
        format!("fetching what two people wanted: {}", fetched.status),
    )?;
    let ava = Seat::takes(stage, "auditor", "ava").await?;
    let log = ava.gets("/desk/log").await?.text();
    held(
        log.contains("allow-export: this needs another person than sam"),
        "the log does not say that he tried",
    )?;
    Ok("refused to him and to a moderator; it leaves when another senior allowed it, and the log has all of that".into())
}
