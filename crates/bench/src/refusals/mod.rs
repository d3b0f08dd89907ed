//! `refusals`: what somebody learns from an introduction about whether it was delivered. They may measure as they
//! like: every frame that they get, and when.

mod classify;
mod judge;
mod kinds;
mod listeners;
mod look_up;
mod people;
mod trial;

use self::{
    judge::{Sight, Told, report},
    kinds::Kind,
    listeners::Listeners,
    people::People,
};
use crate::{
    common::{Progress, ROOMY, Result, Server},
    raw::{Client, Place, together},
};

/// A difference that each run has to see, in milliseconds: what does not see it shows nothing.
const CONTROL: f64 = 1.0;
/// Introductions of a sender after which the confirmations are acknowledged.
const ACKNOWLEDGED: usize = 16;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Introductions of each kind; rounded up to tens
    #[arg(long, default_value_t = 10_000)]
    each: usize,
    /// Microseconds that are added to one kind where it is measured; then the run must fail
    #[arg(long, default_value_t = 0)]
    plant_us: u64,
    /// The most that a classifier may get (AUC)
    #[arg(long, default_value_t = 0.52)]
    limit: f64,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let sight = measure(args.each)?;
    let all = sight.planted(args.plant_us as f64 / 1000.0).judge();
    report(&all).print();
    verdict(&sight, &all, args.limit)
}

/// An error if frames differ, if a kind is told from another, or if the control is not.
fn verdict(sight: &Sight, all: &[Told], limit: f64) -> Result {
    sight.check_frames()?;
    println!("frames: all alike ({} introductions, {} look-ups)", sight.seen.len(), sight.looked.len());
    let control = sight.planted(CONTROL).judge();
    let caught = control.iter().any(|told| told.kind == Kind::Minor && !told.is_within(limit));
    println!("planted: {}", if caught { "caught" } else { "NOT caught" });
    let worst = all.iter().max_by(|a, b| a.auc.total_cmp(&b.auc)).ok_or("nothing was measured")?;
    println!(
        "worst: {:.3} (chance +-{:.3}), {} by {}; limit {limit}",
        worst.auc,
        worst.error,
        worst.kind.name(),
        worst.by
    );
    let beyond: Vec<String> = all
        .iter()
        .filter(|told| !told.is_within(limit))
        .map(|told| format!("{} by {} ({:.3})", told.kind.name(), told.by, told.auc))
        .collect();
    match (beyond.is_empty(), caught) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("a sender can tell: {}", beyond.join("; ")).into()),
        (true, false) => Err(format!("{CONTROL} ms was not seen: this run shows nothing").into()),
    }
}

/// Makes the introductions, and gives what their senders saw.
fn measure(each: usize) -> Result<Sight> {
    let mut server = Server::with_rules(ROOMY, &people::rules())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let people = runtime.block_on(People::gather(&Place::new(server.url(), None)?, &server.data(), each))?;
    // Afterwards the server knows no key of anybody's who is away, as in each new hour.
    server.stop()?;
    server.begin()?;
    let place = Place::new(server.url(), None)?;
    let listeners = Listeners::new()?;
    let connected = people.receivers.iter().filter(|receiver| receiver.kind == Kind::Connected);
    listeners.listen(&place, connected.map(|receiver| receiver.person.clone()).collect())?;
    let (people, sight) = runtime.block_on(introduce(people, &place))?;
    let pushed = sight.seen.iter().filter(|seen| seen.kind == Kind::Connected).count();
    listeners.have_heard(3 * pushed as u64)?;
    runtime.block_on(people.look_after(&place))?;
    Ok(sight)
}

async fn introduce(mut people: People, place: &Place) -> Result<(People, Sight)> {
    let connecting = people.senders.iter().map(|person| Client::connect(place, person.clone()));
    let mut senders = together(connecting).await?;
    let looked = look_up::look_up(&people, &mut senders).await?;
    let attempts = std::mem::take(&mut people.attempts);
    let progress = Progress::new("introductions", attempts.len() as u64);
    let mut made = vec![0; senders.len()];
    let mut seen = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let who = attempt.sender;
        let sender = &mut senders[who];
        seen.push(attempt.make(sender).await?);
        made[who] += 1;
        if made[who] % ACKNOWLEDGED == 0 {
            sender.feed_ack().await?;
            sender.settle().await?;
        }
        progress.add(1);
    }
    progress.finish();
    Ok((people, Sight { seen, looked }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_learns_from_an_introduction_whether_it_was_delivered() {
        let sight = measure(1000).expect("measured");
        let all = sight.judge();
        report(&all).print();
        verdict(&sight, &all, 0.55).expect("nothing to tell, and the planted millisecond caught");
    }
}
