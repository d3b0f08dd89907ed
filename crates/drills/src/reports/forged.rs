//! Reporters who invent what was said, or alter it.

use zegel_franking::{Context, REPORTING_WINDOW_MS, franking_tag};

use super::scene::{Said, found, quarrel, reports, says};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out},
    kit::{Operator, Stage, account_of},
};

/// An invented stamp.
pub const STAMP: Drill = Drill {
    name: "forged-report",
    attacker: Attacker::Member,
    attempt: "Bob reports what Mallory never sent: under a stamp that he made up, or a real one of Mallory's with another sender, time, place or tag.",
    defence: "The service computes each stamp again over all that it says, with a key that only it has.",
    caught: "when it is reported: \"this service did not stamp it so\"",
    run: |stage| Box::pin(stamp(stage)),
};

async fn stamp(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let said = says(&mallory, "bob", "good morning").await?;
    let own = says(&bob, "mallory", "I will hurt you").await?;
    // What she could have said, byte for byte, and did not.
    let invented =
        Said { content: mallory.client()?.rogue_content("bob", "I will hurt you")?, ..said.clone() };
    let tag = franking_tag(&invented.content.salt, &invented.content.encode()?);
    let (real, stamp) = (said.context()?, said.stamped.stamp.clone());
    let committed = Context { franking_tag: tag, ..real.clone() };
    let hers = Context { sender_account: account_of(&mallory)?.0, ..own.context()? };
    let altered = [
        ("a stamp that was made up", invented.stamped(&committed, &[7; 32])?),
        ("another commitment", invented.stamped(&committed, &stamp)?),
        ("a stamp cut short", said.stamped(&real, &stamp[..16])?),
        ("Bob's own words as Mallory's", own.stamped(&hers, &own.stamped.stamp)?),
        ("another time", {
            let accepted_ms = real.accepted_ms + 1;
            said.stamped(&Context { accepted_ms, ..real.clone() }, &stamp)?
        }),
        ("another place", {
            let server_seq = real.server_seq + 1;
            said.stamped(&Context { server_seq, ..real.clone() }, &stamp)?
        }),
    ];
    let count = altered.len();
    for (what, link) in altered {
        let state = reports(&bob, &mallory, vec![link]).await?;
        found(what, &state, &["this service did not stamp it so"])?;
    }
    let state = reports(&bob, &mallory, vec![said.shown()?]).await?;
    found("what Mallory did send", &state, &[""])?;
    Ok(format!(
        "{count} of {count} are \"not proven: this service did not stamp it so\"; the real one is proven"
    ))
}

/// Another content under a real stamp.
pub const CONTENT: Drill = Drill {
    name: "altered-report",
    attacker: Attacker::Member,
    attempt: "Bob reports a message of Mallory's under its real stamp with other words: a word altered, another salt, or the text of another message of hers.",
    defence: "The stamp holds the tag by which the sender's device committed to the content, byte for byte.",
    caught: "when it is reported: \"its sender did not commit to this content\"",
    run: |stage| Box::pin(content(stage)),
};

async fn content(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let said = says(&mallory, "bob", "I will see you tonight").await?;
    let other = says(&mallory, "bob", "I hate rain").await?;
    let mut salted = said.content.clone();
    salted.salt[0] ^= 1;
    let mut word = mallory.client()?.rogue_content("bob", "I will get you tonight")?;
    word.salt = said.content.salt;
    let altered = [
        ("an altered word", word),
        ("another salt", salted),
        ("another message's text", other.content.clone()),
    ];
    let count = altered.len();
    for (what, content) in altered {
        let state = reports(&bob, &mallory, vec![said.shown_as(&content)?]).await?;
        found(what, &state, &["its sender did not commit to this content"])?;
    }
    let state = reports(&bob, &mallory, vec![said.shown()?, other.shown()?]).await?;
    found("what Mallory did send", &state, &["", ""])?;
    Ok(format!("{count} of {count} are not proven: \"its sender did not commit to this content\""))
}

/// Too late.
pub const LATE: Drill = Drill {
    name: "late-report",
    attacker: Attacker::Member,
    attempt: "Bob digs out what Mallory wrote more than 90 days ago. (No drill waits for so long: the old message is stamped with the service's real key, taken from its key file.)",
    defence: "A stamp proves nothing after 90 days; then its key is destroyed as well, and no stamp of an unknown key is taken.",
    caught: "when it is reported: \"it is too old to be reported\"",
    run: |stage| Box::pin(late(stage)),
};

async fn late(stage: &Stage) -> Verdict {
    const MINUTE: u64 = 60_000;
    let (mallory, bob) = quarrel(stage).await?;
    let said = says(&mallory, "bob", "long ago").await?;
    let real = said.context()?;
    let at = |accepted_ms| Context { accepted_ms, ..real.clone() };
    let stamped = |context: Context| {
        let stamp = Operator::stamps(stage, &context)?;
        said.stamped(&context, &stamp)
    };
    let late = stamped(at(real.accepted_ms - REPORTING_WINDOW_MS - MINUTE))?;
    found("a message of 91 days ago", &reports(&bob, &mallory, vec![late]).await?, &["it is too old"])?;
    let gone = said.stamped(&Context { key_id: real.key_id + 1, ..real.clone() }, &[1; 32])?;
    found("a stamp of a key that is gone", &reports(&bob, &mallory, vec![gone]).await?, &["no longer kept"])?;
    let just = stamped(at(real.accepted_ms - REPORTING_WINDOW_MS + MINUTE))?;
    let state = reports(&bob, &mallory, vec![just]).await?;
    carried_out(state.proven == 1, format!("proving what is a minute younger: {:?}", state.findings))?;
    Ok("a minute past 90 days it is not proven, a minute before it is".into())
}
