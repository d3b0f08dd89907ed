//! What can be asked about somebody before they are introduced to: their account, and a key package.

use std::time::Instant;

use rand::seq::SliceRandom as _;
use zegel_proto::{
    Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{
    kinds::{Kind, Shape},
    people::People,
};
use crate::{
    common::Result,
    raw::{Client, Person},
};

/// The names of the times.
pub const TIMES: [&str; 2] = ["account", "key package"];

/// What somebody saw who asked about a receiver.
pub struct Looked {
    pub kind: Kind,
    /// Milliseconds until each answer.
    pub times: [f64; 2],
    /// How long the answers are.
    pub lengths: [usize; 2],
}

/// Asks once about each receiver who could be told from another, in no order.
pub async fn look_up(people: &People, senders: &mut [Client]) -> Result<Vec<Looked>> {
    // That an account is gone is no secret.
    let asked = |kind: Kind| kind.shape() == Shape::Founds && kind != Kind::Deleted;
    let mut receivers: Vec<_> = people.receivers.iter().filter(|receiver| asked(receiver.kind)).collect();
    receivers.shuffle(&mut rand::rng());
    let mut looked = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        let (times, lengths) = ask_about(&mut senders[receiver.sender], &receiver.person).await?;
        looked.push(Looked { kind: receiver.kind, times, lengths });
    }
    Ok(looked)
}

async fn ask_about(sender: &mut Client, person: &Person) -> Result<([f64; 2], [usize; 2])> {
    let begun = Instant::now();
    let fetch = v1::FetchAccount { handle: person.handle().into(), ..Default::default() };
    let account = sender.call(ask::Body::FetchAccount(fetch)).await?;
    let first = begun.elapsed();
    let begun = Instant::now();
    let fetch = v1::FetchKeyPackages { accounts: vec![person.account.to_field()] };
    let packages = sender.call(ask::Body::FetchKeyPackages(fetch)).await?;
    let second = begun.elapsed();
    let (tell::Body::Account(mut account), tell::Body::KeyPackages(packages)) = (account, packages) else {
        return Err("a look-up was answered with something else".into());
    };
    // What is public of everybody is as long as it is: the chain, the proof by its place in the tree, the root by how long the
    // service has run.
    (account.chain, account.root, account.lookup, account.promise) = Default::default();
    let times = [first, second].map(|took| took.as_secs_f64() * 1000.0);
    Ok((times, [account.encoded_len(), packages.encoded_len()]))
}
