//! A contact code in the wrong hands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use zegel_client::AgeBand;
use zegel_proto::v1::client_frame as ask;

use super::scene::{Door, comes, enter};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Frame, Keys, Passing, Person, Proxy, Stage, Stranger, WAIT, pass},
};

/// Somebody has a minor's contact code who should not.
pub const STOLEN: Drill = Drill {
    name: "stolen-code",
    attacker: Attacker::Stranger,
    attempt: "Mallory photographed the code that Mia gave to Bob, found one whose days are over, has one of somebody else's, and shows a good one of Mia's with a group that he brings her into.",
    defence: "A code is good once, for days, and to its owner only; whoever shows one that is not good reaches nobody. It opens no group: the client ends that unseen.",
    caught: "at once: Mia sees nothing of it",
    run: |stage| Box::pin(stolen(stage)),
};

async fn stolen(stage: &Stage) -> Verdict {
    past(stage).await?;
    let mut mia = Person::registers_as(AgeBand::Child, "mia", stage.url()).await?;
    let [mut bob, mallory, robert] =
        [stage.person("bob").await?, stage.person("mallory").await?, stage.person("robert").await?];
    let zoe = stage.person("zoe").await?;

    let code = mia.client()?.code().await?;
    bob.client()?.connect(&code).await?;
    bob.sends("it is me", "mia").await?;
    mia.reads("it is me").await?;
    mallory.client()?.connect(&code).await?;
    mallory.sends("I know Bob", "mia").await?;

    let zoes = zoe.client()?.code().await?;
    let hers = zoes.replacen("zoe", "mia", 1);
    carried_out(hers != zoes, "showing a code to somebody else")?;
    robert.client()?.connect(&hers).await?;
    robert.sends("we met at the club", "mia").await?;

    let code = mia.client()?.code().await?;
    let keys = mia.copied("bob")?;
    mia.closes().await;
    bob.closes().await;
    let (_, before) = enter(stage.address(), &keys).await?;
    let proxy = stage.proxy().await?;
    let mallet = Person::registers("mallet", &proxy.url()).await?;
    let shown = shows_with_all(&proxy, &code).await?;
    mallet.client()?.group_create("club", &["mia".to_owned()]).await?;
    mallet.sends("welcome", "club").await?;
    let (_, after) = enter(stage.address(), &keys).await?;
    let brought = shown.load(Relaxed) > 0 && after.next_seq > before.next_seq;
    carried_out(brought, "bringing a group to Mia by her code")?;

    mia.connects().await?;
    let asking: Vec<_> = mia.client()?.requests()?.into_iter().map(|request| request.from).collect();
    held(asking.is_empty(), format!("Mia is asked by {asking:?}"))?;
    let groups = mia.client()?.groups()?;
    held(groups.is_empty(), format!("Mia is in {groups:?}"))?;
    let thieves = ["mallory", "robert", "mallet"];
    let seen: Vec<String> = mia
        .lines()
        .into_iter()
        .filter(|line| thieves.iter().any(|name| line.from == *name || line.text.contains(name)))
        .map(|line| line.text)
        .collect();
    held(seen.is_empty(), format!("Mia sees {seen:?}"))?;
    // A good one, to its owner, once.
    zoe.client()?.connect(&mia.client()?.code().await?).await?;
    zoe.sends("from the garden", "mia").await?;
    mia.reads("from the garden").await?;
    Ok("used, past, another's and with a group: Mia saw none of it, and who came first is connected".into())
}

/// A code whose days are over. The clock cannot be turned on, so its day is turned back.
async fn past(stage: &Stage) -> Verdict<()> {
    let mut kim = Door::of(stage, "kim", AgeBand::Child).await?;
    let old = kim.code().await?;
    let database = stage.server(|server| {
        server.kill();
        server.data().join("zegel.db")
    });
    let turned = rusqlite::Connection::open(&database)?.execute("UPDATE token SET day = day - 1000", [])?;
    carried_out(turned == 1, format!("turning back the day of one code, but {turned}"))?;
    stage.server(|server| {
        server.configure("\n[retention]\nsweep_seconds = 1\n")?;
        server.begin()
    })?;
    let begun = Instant::now();
    loop {
        let count =
            rusqlite::Connection::open(&database)?
                .query_row("SELECT count(*) FROM token", [], |row| row.get::<_, i64>(0))?;
        if count == 0 {
            break;
        }
        held(begun.elapsed() < WAIT, "a code is kept when its days are over")?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut finder = Stranger::member(stage.address(), &Keys::new("finder")).await?;
    kim.came().await?;
    comes(&mut finder, &mut kim, Some(old)).await?;
    held(kim.came().await? == 0, "a code whose days are over lets a stranger in")?;
    let new = kim.code().await?;
    comes(&mut finder, &mut kim, Some(new)).await?;
    carried_out(kim.came().await? == 1, "reaching her by a good code")
}

/// From now on a code goes with everybody who is added; how often it did.
pub(super) async fn shows_with_all(proxy: &Proxy, code: &str) -> Verdict<Arc<AtomicUsize>> {
    let token = hex::decode(code.rsplit(':').next().unwrap_or_default())?;
    let shown = Arc::new(AtomicUsize::new(0));
    let count = shown.clone();
    proxy
        .rule(move |mut passing: Passing| {
            if let Frame::Up(frame) = &mut passing.frame
                && let Some(ask::Body::Submit(submit)) = &mut frame.body
                && let Some(welcome) = &mut submit.welcome
            {
                for newcomer in &mut welcome.newcomers {
                    newcomer.token = token.clone().into();
                    count.fetch_add(1, Relaxed);
                }
            }
            pass(passing)
        })
        .await;
    Ok(shown)
}
