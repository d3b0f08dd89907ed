//! Who can write to the service's disk.

use rusqlite::{Connection, params};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Stage, device_of},
};

/// A mailbox is rewritten on disk.
pub const REWRITTEN: Drill = Drill {
    name: "rewritten-mailbox",
    attacker: Attacker::Thief,
    attempt: "While Bob is away, someone with the disk swaps two entries of his mailbox in the database and deletes another.",
    defence: "Each entry is sealed to its mailbox and place, and the places have no holes.",
    caught: "next connection",
    run: |stage| Box::pin(rewritten(stage)),
};

async fn rewritten(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, mut bob) = stage.two_friends(&proxy).await?;
    let device = device_of(&bob)?;
    bob.client()?.sync(crate::kit::WAIT).await?;
    bob.closes().await;
    let texts = ["one", "two", "three", "four", "five"];
    for text in texts {
        alice.sends(text, "bob").await?;
    }
    let database = stage.server(|server| {
        server.kill();
        server.data().join("zegel.db")
    });
    let rewrite = || -> rusqlite::Result<usize> {
        let mut db = Connection::open(database)?;
        let tx = db.transaction()?;
        let mut read = tx.prepare("SELECT id, sealed FROM entry WHERE device = ?1 ORDER BY seq")?;
        let rows = read.query_map(params![&device.0[..]], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(i64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
        drop(read);
        let [_, two, three, four, _] = rows.as_slice() else { return Ok(0) };
        let put = "UPDATE entry SET sealed = ?2 WHERE id = ?1";
        let mut changed =
            tx.execute(put, params![two.0, three.1])? + tx.execute(put, params![three.0, two.1])?;
        changed += tx.execute("DELETE FROM entry WHERE id = ?1", params![four.0])?;
        tx.commit()?;
        Ok(changed)
    };
    let changed = rewrite()?;
    carried_out(changed == 3, format!("rewriting three rows, but {changed}"))?;
    stage.server(|server| server.begin())?;
    bob.connects().await?;
    bob.reads("five").await?;
    bob.is_alarmed("gap", "1 entries of your mailbox are missing.").await?;
    let line = "An entry of your mailbox could not be opened: it does not open.";
    bob.is_alarmed("hidden", line).await?;
    let unopened = bob.texts("hidden").iter().filter(|text| *text == line).count();
    held(unopened == 2, format!("two entries were swapped, and {unopened} did not open"))?;
    let order: Vec<String> = bob.said_by("alice");
    held(order.ends_with(&["one".to_owned(), "five".to_owned()]), format!("Bob sees {order:?}"))?;
    held(
        bob.texts("gap").contains(&"3 messages are missing here.".to_owned()),
        "the conversation shows no hole",
    )?;
    Ok("two entries do not open, one is missed, and the conversation shows where".into())
}
