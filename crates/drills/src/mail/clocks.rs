//! A service that lies about the time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_proto::v1::server_frame as tell;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out},
    kit::{
        Frame, Keys, Passing, Person, Stage, Stranger,
        mls::{SUITE, key_package},
        pass,
    },
};

const YEAR_MS: u64 = 365 * 86_400_000;

/// Keys that ran out.
pub const OLD_KEYS: Drill = Drill {
    name: "clock-lies",
    attacker: Attacker::Operator,
    attempt: "The service kept a key of Bob's that ran out long ago, in the hope of having broken it since, tells Alice's device that it is a year earlier, and hands it out.",
    defence: "Lifetimes are held against the device's own clock; the service's serves only to make new keys.",
    caught: "at once: nothing is sent",
    run: |stage| Box::pin(old_keys(stage)),
};

async fn old_keys(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let lied = Arc::new(AtomicUsize::new(0));
    let count = lied.clone();
    proxy
        .rule(move |mut passing: Passing| {
            if let Frame::Down(frame) = &mut passing.frame {
                let clock = match &mut frame.body {
                    Some(tell::Body::Hello(answer)) => Some(&mut answer.server_ms),
                    Some(tell::Body::Authenticated(answer)) => Some(&mut answer.server_ms),
                    _ => None,
                };
                if let Some(clock) = clock {
                    *clock -= YEAR_MS;
                    count.fetch_add(1, Relaxed);
                }
            }
            pass(passing)
        })
        .await;
    let alice = Person::registers("alice", &proxy.url()).await?;
    carried_out(lied.load(Relaxed) >= 2, "lying about the time")?;
    let bob = Keys::new("bob");
    let mut bobs = Stranger::member(stage.address(), &bob).await?;
    let named = (bob.account, bob.device);
    for days in [(-400, -330), (-100, -1)] {
        bobs.publish(vec![key_package(&bob, named, SUITE, days)?]).await?;
        crate::membership::refuses(&alice, "bob", &format!("a key that ran out {} days ago", -days.1))
            .await?;
    }
    bobs.publish(vec![key_package(&bob, named, SUITE, (-1, 50))?]).await?;
    alice.sends("hello", "bob").await?;
    Ok("keys that ran out are refused whatever time the service says it is; a fresh one serves".into())
}
