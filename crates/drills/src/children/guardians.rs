//! Guardians whom nobody asked to be one, and guardians who want more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use zegel_client::{AgeBand, AskKind, Outcome};
use zegel_content::{Asked, Contacts, Facts, Guardian};
use zegel_proto::{Token, v1::server_frame as tell};

use super::friends::{asked, asks, guardian_of, link, links, tells_guardian, waiting};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Passing, Person, SOON, Stage, WAIT, befriend, pass, until},
};

/// Somebody acts as a child's guardian.
pub const SELF_MADE: Drill = Drill {
    name: "self-made-guardian",
    attacker: Attacker::Member,
    attempt: "Mallory, a contact of Mia's, sends her device what only a guardian's sends: a key, answers, the end, contacts; before she has a guardian, and after. Quin, who is another child's guardian, answers her questions, whose ids Pat told him; and Pat, hers, answers one that he answered already.",
    defence: "Nothing happens because of what somebody says whom she did not link with herself; an answer counts once, from whom she asked.",
    caught: "at once: she goes on asking Pat, and whom he did not allow she does not reach",
    run: |stage| Box::pin(self_made(stage)),
};

async fn self_made(stage: &Stage) -> Verdict {
    let child = |handle| Person::registers_as(AgeBand::Child, handle, stage.url());
    let [mia, tim] = [child("mia").await?, child("tim").await?];
    let [pat, quin] = [stage.person("pat").await?, stage.person("quin").await?];
    let [mallory, carol] = [stage.person("mallory").await?, stage.person("carol").await?];
    for (one, other) in [(&mia, &pat), (&mia, &quin), (&mia, &mallory), (&tim, &quin), (&mallory, &pat)] {
        befriend(one, other).await?;
    }
    plays_guardian(&mallory, &mia, "before she has one").await?;
    let who = guardian_of(&mia)?;
    held(who.is_empty(), format!("{who} made themself Mia's guardian"))?;

    links(&mia, &pat).await?;
    links(&tim, &quin).await?;
    plays_guardian(&mallory, &mia, "now that she has one").await?;
    plays_guardian(&quin, &mia, "as another's guardian").await?;
    let who = guardian_of(&mia)?;
    held(who == "pat", format!("Mia's guardian is {who:?} now"))?;

    // Her questions, and others' answers.
    refused(&mia, &carol, "Mia writes to Carol without anybody's word").await?;
    carried_out(
        mia.client()?.change_age(AgeBand::Teen, None).await? == Outcome::AskedGuardian("pat".into()),
        "asking for an age",
    )?;
    asks(&pat, AskKind::Contact, "carol").await?;
    asks(&pat, AskKind::Age, "teen").await?;
    let questions = questions(&pat)?;
    carried_out(questions.len() == 2, format!("Pat telling two ids, but {}", questions.len()))?;
    for by in [&mallory, &quin] {
        for id in &questions {
            let answer = Guardian::Answer { id: *id, allow: true, secret: Some([5; 32]), next: None };
            tells_guardian(by, "mia", &answer).await?;
        }
        reads(&mia, by, "go on").await?;
    }
    refused(&mia, &carol, "another's answer let Mia write to Carol").await?;
    let age = mia.client()?.whoami().age;
    held(age == AgeBand::Child, format!("another's answer made Mia a {age:?}"))?;

    // One that was answered already.
    for name in ["carol", "teen"] {
        pat.client()?.answer_child("mia", name, false).await?;
    }
    for id in questions {
        let answer = Guardian::Answer { id, allow: true, secret: None, next: None };
        tells_guardian(&pat, "mia", &answer).await?;
    }
    reads(&mia, &pat, "that was twice").await?;
    refused(&mia, &carol, "a second answer let Mia write to Carol").await?;

    // A child of nobody's does not make a guardian either.
    let name = || "zoe".to_owned();
    let said = Contacts { people: vec![name()], ..Contacts::default() };
    let id = Token::random().0;
    for said in [
        Guardian::Linked,
        Guardian::Ask { id, what: Asked::Contact { handle: name() }, facts: Facts::default() },
        Guardian::Contacts(said),
    ] {
        tells_guardian(&mallory, "pat", &said).await?;
    }
    reads(&pat, &mallory, "I am your child").await?;
    let approvals = pat.client()?.approvals()?;
    held(approvals.iter().all(|it| it.child == "mia"), format!("Pat is asked by {approvals:?}"))?;
    held(link(&pat, &mallory).is_none(), "Mallory made himself a child of Pat's")?;

    // And a guardian's own word counts, at the service too: only what their device made lets it take another age.
    let dora = stage.person("dora").await?;
    refused(&mia, &dora, "Mia writes to Dora without anybody's word").await?;
    asks(&pat, AskKind::Contact, "dora").await?;
    pat.client()?.answer_child("mia", "dora", true).await?;
    reads(&mia, &pat, "write to her").await?;
    mia.sends("hi", "dora").await?;
    tim.client()?.change_age(AgeBand::Teen, None).await?;
    asks(&quin, AskKind::Age, "teen").await?;
    quin.client()?.answer_child("tim", "teen", true).await?;
    let grown = until(WAIT, || tim.client().is_ok_and(|client| client.whoami().age == AgeBand::Teen)).await;
    carried_out(grown, "becoming a teen by the guardian's word")?;
    Ok("of three people's keys, answers and ends only what Pat answered first counted".into())
}

/// Everything that a guardian's software says, from somebody who is none.
async fn plays_guardian(who: &Person, child: &Person, when: &str) -> Verdict<()> {
    let id = Token::random().0;
    let answer = Guardian::Answer { id, allow: true, secret: Some([5; 32]), next: Some([6; 32]) };
    let said = [
        Guardian::Link { as_child: false },
        Guardian::Key { hash: [4; 32] },
        Guardian::Linked,
        answer.clone(),
        answer,
        Guardian::Contacts(Contacts::default()),
        Guardian::End { secret: Some([5; 32]) },
        Guardian::End { secret: None },
        Guardian::Key { hash: [4; 32] },
    ];
    for said in &said {
        tells_guardian(who, &child.handle, said).await?;
    }
    reads(child, who, when).await?;
    Ok(child.client()?.sync(WAIT).await?)
}

/// Says something, which is read, as is what came before it.
async fn reads(who: &Person, from: &Person, text: &str) -> Verdict<()> {
    let text = format!("{text}, {} tells {}", from.handle, who.handle);
    from.sends(&text, &who.handle).await?;
    who.reads(&text).await
}

/// A child must not get through to somebody; the guardian is asked instead.
async fn refused(child: &Person, to: &Person, harm: &str) -> Verdict<()> {
    let sent = child.client()?.send(&to.handle, "hello").await;
    held(sent.is_err_and(|error| error.to_string().contains("your guardian")), harm)?;
    held(waiting(to)?.is_empty(), harm)
}

/// The ids of what a guardian is asked.
fn questions(guardian: &Person) -> Verdict<Vec<[u8; 16]>> {
    let rows = guardian.client()?.rogue_rows()?.into_iter().filter(|(table, _)| table == "ask");
    let id = |(_, cells): (_, Vec<Vec<u8>>)| cells.get(1)?.as_slice().try_into().ok();
    Ok(rows.filter_map(id).collect())
}

/// A guardian who wants to read.
pub const NO_WORDS: Drill = Drill {
    name: "guardian-sees-no-words",
    attacker: Attacker::Member,
    attempt: "Pat, Mia's guardian, waits for what Mia's device sends him while she talks to her friends, and looks for their words in all that his has; and goes on listening after the link is over.",
    defence: "What goes to a guardian holds names of people and groups and what is known of who comes, and no words; when the link ends nothing goes any more.",
    caught: "at once: nothing comes while they talk, no word of theirs is on his device, and nothing comes after the end",
    run: |stage| Box::pin(no_words(stage)),
};

const WORDS: [&str; 4] =
    ["meet me at the old mill", "bring the blue kite", "the club begins at noon", "only you know"];

async fn no_words(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let entries = Arc::new(AtomicUsize::new(0));
    let count = entries.clone();
    proxy
        .rule(move |passing: Passing| {
            if let Some(tell::Body::Deliver(deliver)) = passing.frame.told() {
                count.fetch_add(deliver.entries.len(), Relaxed);
            }
            pass(passing)
        })
        .await;
    let pat = Person::registers("pat", &proxy.url()).await?;
    let mia = Person::registers_as(AgeBand::Child, "mia", stage.url()).await?;
    let [bob, carol] = [stage.person("bob").await?, stage.person("carol").await?];
    for (one, other) in [(&mia, &pat), (&mia, &bob), (&bob, &carol)] {
        befriend(one, other).await?;
    }
    mia.sends(WORDS[0], "bob").await?;
    bob.reads(WORDS[0]).await?;
    links(&mia, &pat).await?;
    bob.client()?.group_create("chess", &["mia".to_owned(), "carol".to_owned()]).await?;
    bob.sends(WORDS[1], "chess").await?;
    let before = entries.load(Relaxed);
    asked(&mia, "chess").await?;
    mia.client()?.accept("chess").await?;
    asks(&pat, AskKind::Group, "chess").await?;
    pat.client()?.answer_child("mia", "chess", true).await?;
    mia.reads(WORDS[1]).await?;
    carol.joins("chess").await?;
    let told = || {
        let contacts = pat.client().ok().and_then(|client| client.child_contacts("mia").ok()).flatten();
        contacts.is_some_and(|it| it.people.contains(&"bob".into()) && it.groups.contains(&"chess".into()))
    };
    carried_out(until(WAIT, told).await, "telling Pat with whom Mia is in contact")?;
    carried_out(entries.load(Relaxed) > before, "seeing that something comes to Pat")?;
    settle(&[&mia, &pat]).await?;
    let before = entries.load(Relaxed);
    mia.sends(WORDS[2], "chess").await?;
    carol.reads(WORDS[2]).await?;
    bob.sends(WORDS[3], "mia").await?;
    mia.reads(WORDS[3]).await?;
    settle(&[&mia, &pat]).await?;
    let more = entries.load(Relaxed) - before;
    held(more == 0, format!("{more} entries came to Pat while Mia and her friends talked"))?;
    carried_out(has(&pat, "hello pat")? && has(&pat, "chess")?, "looking through Pat's device")?;
    for words in WORDS {
        held(!has(&pat, words)?, format!("Pat's device has {words:?}"))?;
    }

    pat.client()?.unlink_guardian("mia").await?;
    let free = until(SOON, || guardian_of(&mia).is_ok_and(|who| who.is_empty())).await;
    held(free, "Mia is not free of Pat after the end")?;
    for said in [Guardian::Link { as_child: false }, Guardian::Key { hash: [4; 32] }, Guardian::Linked] {
        tells_guardian(&pat, "mia", &said).await?;
    }
    reads(&mia, &pat, "I still look after you").await?;
    settle(&[&mia, &pat]).await?;
    let before = entries.load(Relaxed);
    let dora = stage.person("dora").await?;
    befriend(&mia, &dora).await?;
    mia.client()?.group_create("tennis", &["dora".to_owned(), "bob".to_owned()]).await?;
    settle(&[&mia, &pat]).await?;
    let more = entries.load(Relaxed) - before;
    held(more == 0, format!("{more} entries came to Pat after the end"))?;
    for name in ["dora", "tennis"] {
        held(!has(&pat, name)?, format!("Pat's device knows of {name} after the end"))?;
    }
    reads(&pat, &mia, "and the chat goes on").await?;
    carried_out(entries.load(Relaxed) > before, "counting what comes to Pat")?;
    Ok("Pat's device has the names bob and chess, none of four texts, and nothing after the end".into())
}

/// What is under way goes out, and arrives.
async fn settle(people: &[&Person]) -> Verdict<()> {
    for who in people {
        who.client()?.sync(WAIT).await?;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

/// Whether a device's profile holds this anywhere.
fn has(who: &Person, words: &str) -> Verdict<bool> {
    let within = |cell: &Vec<u8>| cell.windows(words.len()).any(|part| part == words.as_bytes());
    Ok(who.client()?.rogue_rows()?.iter().any(|(_, cells)| cells.iter().any(within)))
}
