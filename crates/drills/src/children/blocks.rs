//! Coming back after a block, and blocking to harm.

use std::time::Instant;

use zegel_identity::{Action, Chain};
use zegel_proto::{
    Code, Token,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};

use super::scene::{Door, comes, enter, introduces, invite};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, WAIT, code_of},
};

/// Somebody comes with their other account.
pub const ANOTHER: Drill = Drill {
    name: "another-account",
    attacker: Attacker::Stranger,
    attempt: "Mallory was blocked, by an adult and by a teen. He comes again with the second account of the invite that was made for him, also with a contact code that he still has, and with one that he registered openly.",
    defence: "A block is kept for the person for whom the invite was made. An account that nothing ties to him is a stranger's, and strangers do not reach minors.",
    caught: "at once, with an account of the same invite; the adult has to block the other one too",
    run: |stage| Box::pin(another(stage)),
};

async fn another(stage: &Stage) -> Verdict {
    let (mut alice, mut tess) = doors(stage).await?;
    let invite = invite(stage, &["--for-one", "--uses", "2"])?;
    let first = Keys { invite: invite.clone(), ..Keys::new("mallory") };
    let mut mallory = Stranger::member(stage.address(), &first).await?;
    let codes = comes_and_is_blocked(&mut mallory, &first, [&mut alice, &mut tess]).await?;

    let second = Keys { invite, ..Keys::new("robert") };
    let mut robert = Stranger::member(stage.address(), &second).await?;
    for (door, code) in [&mut alice, &mut tess].into_iter().zip(codes) {
        comes(&mut robert, door, None).await?;
        comes(&mut robert, door, Some(code)).await?;
        held(door.came().await? == 0, format!("the second account reached {}", door.keys.handle))?;
    }
    // Nothing ties this one to him.
    let mut unrelated = Stranger::member(stage.address(), &Keys::new("stranger")).await?;
    comes(&mut unrelated, &mut tess, None).await?;
    held(tess.came().await? == 0, "an unrelated account reached a teen")?;
    comes(&mut unrelated, &mut alice, None).await?;
    carried_out(alice.came().await? == 1, "reaching an adult as a stranger")?;
    alice.blocks(&first.account, true).await?;
    comes(&mut robert, &mut alice, None).await?;
    carried_out(alice.came().await? == 1, "reaching an adult who took the block back")?;
    Ok("the second account reached neither; an unrelated one reached the adult, as any stranger does, and not the teen".into())
}

/// An adult and a teen.
async fn doors(stage: &Stage) -> Verdict<(Door, Door)> {
    Ok((Door::of(stage, "alice", AgeBand::Adult).await?, Door::of(stage, "tess", AgeBand::Teen).await?))
}

/// Somebody comes by a code, is blocked, and has another code left of each.
async fn comes_and_is_blocked(by: &mut Stranger, keys: &Keys, doors: [&mut Door; 2]) -> Verdict<Vec<Token>> {
    let mut codes = Vec::new();
    for door in doors {
        let code = door.code().await?;
        comes(by, door, Some(code)).await?;
        carried_out(door.came().await? == 1, format!("reaching {} by a code", door.keys.handle))?;
        codes.push(door.code().await?);
        door.blocks(&keys.account, false).await?;
    }
    Ok(codes)
}

/// Somebody comes anew with the same account.
pub const REINSTALL: Drill = Drill {
    name: "reinstall-after-block",
    attacker: Attacker::Stranger,
    attempt: "Mallory was blocked. He installs anew and comes from a new device of the same account; revokes the old one and comes again; deletes the account and registers with the invite that he got in.",
    defence: "A block names no device: it holds for the account on all of them, and for whoever the invite was made for when the account is long gone. No handle is given out twice.",
    caught: "at once, every time",
    run: |stage| Box::pin(reinstall(stage)),
};

async fn reinstall(stage: &Stage) -> Verdict {
    let (mut alice, mut tess) = doors(stage).await?;
    let mut carol = Door::of(stage, "carol", AgeBand::Adult).await?;
    let invite = invite(stage, &["--for-one", "--uses", "2"])?;
    let phone = Keys { invite: invite.clone(), ..Keys::new("mallory") };
    let mut mallory = Stranger::member(stage.address(), &phone).await?;
    let codes = comes_and_is_blocked(&mut mallory, &phone, [&mut alice, &mut tess]).await?;

    let laptop = Keys::device_of(phone.account, "mallory");
    let head = Chain::verify(&mallory.links("mallory").await?)?.head();
    let listed = mallory.append(phone.sign(head, Action::AddDevice(laptop.info()))).await?;
    carried_out(code_of(&listed).is_none(), format!("listing another device: {listed:?}"))?;
    let (mut mallory, _) = enter(stage.address(), &laptop).await?;
    let again = |door: &Door, how: &str| format!("he reached {} {how}", door.keys.handle);
    for door in [&mut alice, &mut tess] {
        comes(&mut mallory, door, None).await?;
        held(door.came().await? == 0, again(door, "from another device"))?;
    }
    let head = Chain::verify(&mallory.links("mallory").await?)?.head();
    let revoked = mallory.append(laptop.sign(head, Action::RevokeDevice(phone.device))).await?;
    carried_out(code_of(&revoked).is_none(), format!("revoking the first device: {revoked:?}"))?;
    for door in [&mut alice, &mut tess] {
        comes(&mut mallory, door, None).await?;
        held(door.came().await? == 0, again(door, "when the first device was gone"))?;
    }
    comes(&mut mallory, &mut carol, None).await?;
    carried_out(carol.came().await? == 1, "reaching an adult who did not block him")?;

    let delete = v1::DeleteAccount { handle: "mallory".into() };
    let deleted = mallory.call(ask::Body::DeleteAccount(delete)).await?;
    carried_out(code_of(&deleted).is_none(), format!("deleting the account: {deleted:?}"))?;
    let same = Stranger::connect(stage.address()).await?.register(&Keys::new("mallory")).await?;
    held(code_of(&same) == Some(Code::HandleTaken), "the handle is given out again")?;
    let anew = Keys { invite, ..Keys::new("innocent") };
    let mut mallory = Stranger::member(stage.address(), &anew).await?;
    for (door, code) in [&mut alice, &mut tess].into_iter().zip(codes) {
        comes(&mut mallory, door, Some(code)).await?;
        comes(&mut mallory, door, None).await?;
        held(door.came().await? == 0, again(door, "with a new account"))?;
    }
    comes(&mut mallory, &mut carol, None).await?;
    carried_out(carol.came().await? == 1, "reaching, anew, an adult who did not block him")?;
    Ok("blocked from each device and as a new account; whom he had not met he reached".into())
}

/// A crowd that complains of somebody whom it never met.
pub const COMPLAINING: Drill = Drill {
    name: "complaining-brigade",
    attacker: Attacker::Stranger,
    attempt: "Forty accounts of today say that they declined Bob, and block him, so that a rule takes his first contacts away. He never came to them; an accomplice did, so that they have something to decline.",
    defence: "A decline counts only where that account's introduction waits, and a block only by whom it came to. Where both are true, the rule acts.",
    caught: "at once: nothing happens to Bob; who was really declined by as many is restricted and told",
    run: |stage| Box::pin(complaining(stage)),
};

/// Clearly more than the rule ever needs: 12 and a secret below that.
const MANY: usize = 40;

async fn complaining(stage: &Stage) -> Verdict {
    let [bob, pest, accomplice] = ["bob", "pest", "accomplice"].map(Keys::new);
    let mut bobs = Stranger::member(stage.address(), &bob).await?;
    let mut pests = Stranger::member(stage.address(), &pest).await?;
    let mut accomplices = Stranger::member(stage.address(), &accomplice).await?;
    for number in 0..MANY {
        let mut somebody = Door::of(stage, &format!("crowd{number}"), AgeBand::Adult).await?;
        complains(&mut somebody, &mut accomplices, &bob).await?;
        somebody.blocks(&bob.account, false).await?;
    }
    // The same by people whom the other did come to: some decline, some block.
    for number in 0..MANY {
        let mut somebody = Door::of(stage, &format!("person{number}"), AgeBand::Adult).await?;
        if number % 2 == 0 {
            complains(&mut somebody, &mut pests, &pest).await?;
        } else {
            let code = somebody.code().await?;
            comes(&mut pests, &mut somebody, Some(code)).await?;
            somebody.blocks(&pest.account, false).await?;
        }
    }
    let begun = Instant::now();
    while told(&mut pests).await? == 0 {
        carried_out(begun.elapsed() < WAIT, "restricting who was declined by many")?;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // The rules look at one account after the other, so they have looked at Bob too.
    let said = told(&mut bobs).await?;
    held(said == 0, format!("Bob was told of {said} decisions"))?;
    let mut stranger = Door::of(stage, "stranger", AgeBand::Adult).await?;
    comes(&mut bobs, &mut stranger, None).await?;
    held(stranger.came().await? == 1, "Bob no longer reaches a stranger")?;
    comes(&mut pests, &mut stranger, None).await?;
    carried_out(stranger.came().await? == 0, "taking first contacts from who was declined by many")?;
    Ok(format!("{MANY} complaints of strangers did nothing; {MANY} of people who were come to restricted"))
}

/// `by` comes to somebody, who gave a code (that counts as a stranger's coming less), and it is declined as `whose`.
async fn complains(door: &mut Door, by: &mut Stranger, whose: &Keys) -> Verdict<()> {
    let (at, code) = (door.address().await?, door.code().await?);
    let answer = introduces(by, &[(at, Some(code))]).await?;
    carried_out(code_of(&answer).is_none(), format!("an introduction: {answer:?}"))?;
    door.declines(at, &whose.account).await
}

/// How many decisions about an account it can read.
async fn told(account: &mut Stranger) -> Verdict<usize> {
    match account.call(ask::Body::FetchStatements(v1::FetchStatements {})).await? {
        tell::Body::Statements(answer) => Ok(answer.statements.len()),
        other => Err(Failure::NotRun(format!("statements: {other:?}"))),
    }
}
