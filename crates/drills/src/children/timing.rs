//! Measuring what was not said.

use std::time::Instant;

use zegel_proto::{
    Address, GroupId,
    v1::{AgeBand, client_frame as ask, server_frame as tell},
};

use super::scene::introduction;
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, code_of},
};

/// Somebody times their introductions.
pub const TIMED: Drill = Drill {
    name: "timed-introduction",
    attacker: Attacker::Stranger,
    attempt: "Mallory introduces himself from sixty accounts to people of whom half are minors, and times every answer, to find out who they are: what is dropped might be answered sooner or later than what is delivered.",
    defence: "What is dropped reads, seals and writes as much as what is delivered, and is answered alike; what came from a stranger is pushed later, at a moment of chance.",
    caught: "at once: the times tell nothing",
    run: |stage| Box::pin(timed(stage)),
};

const SENDERS: usize = 60;
/// Introductions of each sender to adults, and as many to minors: few enough for an account of today.
const EACH: usize = 5;
/// Introductions to each receiver.
const KNOCKS: usize = 10;
/// What a threshold on the time may get (AUC). A coin gets 0.5; with 300 times of each kind chance alone seldom brings it
/// four standard errors (0.024) above that.
const MOST: f64 = 0.6;

/// One introduction that is to be made.
struct Knock {
    sender: usize,
    at: Address,
    minor: bool,
    /// They are made in an order of chance.
    order: [u8; 32],
}

async fn timed(stage: &Stage) -> Verdict {
    let (adult, adults) = receivers(stage, "adult", AgeBand::Adult).await?;
    let (child, minors) = receivers(stage, "child", AgeBand::Child).await?;
    let knock = |(n, at): (usize, &Address), minor| {
        let order = GroupId::random().0;
        Knock { sender: n / EACH, at: *at, minor, order }
    };
    let to_adults = adults.iter().enumerate().map(|one| knock(one, false));
    let mut knocks: Vec<Knock> =
        to_adults.chain(minors.iter().enumerate().map(|one| knock(one, true))).collect();
    knocks.sort_by_key(|knock| knock.order);
    let mut senders = Vec::with_capacity(SENDERS);
    for n in 0..SENDERS {
        senders.push(Stranger::member(stage.address(), &Keys::new(&format!("mallory{n:02}"))).await?);
    }
    let (mut delivered, mut dropped) = (Vec::new(), Vec::new());
    for Knock { sender, at, minor, .. } in knocks {
        let submit = introduction(&[(at, None)]);
        let begun = Instant::now();
        let answer = senders[sender].call(ask::Body::Submit(submit)).await?;
        let took = begun.elapsed();
        carried_out(code_of(&answer).is_none(), format!("an introduction: {answer:?}"))?;
        if minor { &mut dropped } else { &mut delivered }.push(took);
    }
    carried_out(mail_waits(stage, &adult).await?, "delivering to an adult")?;
    carried_out(!mail_waits(stage, &child).await?, "dropping what came to a minor")?;
    let right =
        delivered.iter().flat_map(|a| dropped.iter().map(move |b| (a, b))).map(|(a, b)| match a.cmp(b) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 0.0,
        });
    let auc = right.sum::<f64>() / (delivered.len() * dropped.len()) as f64;
    let auc = auc.max(1.0 - auc);
    let seen =
        format!("a threshold on the time tells {} of each kind apart with AUC {auc:.2}", dropped.len());
    held(auc < MOST, &seen)?;
    Ok(format!("{seen} (0.5 is a coin's)"))
}

/// People of an age: one of them, and an address for each introduction to them.
async fn receivers(stage: &Stage, name: &str, age_band: AgeBand) -> Verdict<(Keys, Vec<Address>)> {
    let mut addresses = Vec::new();
    loop {
        let keys = Keys { age_band, ..Keys::new(&format!("{name}{:02}", addresses.len() / KNOCKS)) };
        let own: Vec<Address> = (0..KNOCKS).map(|_| Address::random()).collect();
        let packages = own.iter().map(|address| (vec![0; 100], *address)).collect();
        Stranger::member(stage.address(), &keys).await?.publish(packages).await?;
        addresses.extend(own);
        if addresses.len() >= SENDERS * EACH {
            return Ok((keys, addresses));
        }
    }
}

async fn mail_waits(stage: &Stage, keys: &Keys) -> Verdict<bool> {
    let mut receiver = Stranger::connect(stage.address()).await?;
    match receiver.authenticate(keys).await? {
        tell::Body::Authenticated(answer) => Ok(answer.next_seq > answer.first_seq),
        other => Err(Failure::NotRun(format!("{} could not connect: {other:?}", keys.handle))),
    }
}
