//! Somebody who wants what was done at the desk to have been something else.

use std::{fs, path::Path, time::Duration};

use rusqlite::Connection;
use zegel_audit::{Failure as AuditFailure, check_log};
use zegel_cases::{LogEntry, LogHead};

use super::scene::{Dispute, follow};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Page, Seat, Stage},
};

/// Another past.
pub const REWRITTEN: Drill = Drill {
    name: "rewritten-log",
    attacker: Attacker::Thief,
    attempt: "Whoever can write to the disk changes a line of the desk's log, takes one out, cuts off its end, or makes all of it anew so that it fits.",
    defence: "Each line holds the hash of the line before it, and each export is signed: a newer one must go on where an older one ended.",
    caught: "with the next export; a log that was made anew, by whoever keeps an older export",
    run: |stage| Box::pin(rewritten(stage)),
};

async fn rewritten(stage: &Stage) -> Verdict {
    let case = Dispute::begins(stage).await?.case;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    mia.decides(&case, "warn").await?;
    let ava = Seat::takes(stage, "auditor", "ava").await?;
    let folder = tempfile::tempdir()?;
    let (older, newer) = (folder.path().join("older.jsonl"), folder.path().join("newer.jsonl"));
    let state = folder.path().join("state");
    follow(stage, &state).await?;
    keep(&export(&ava).await?, &older)?;
    let head = check_log(&older, None, Some(&state))?.log.head;
    keep(&export(&ava).await?, &newer)?;
    carried_out(check_log(&newer, Some(&older), Some(&state)).is_ok(), "an honest log that goes on")?;

    let store = Connection::open(stage.server(|server| server.data()).join("zegel.db"))?;
    store.busy_timeout(Duration::from_secs(10))?;
    let decided: i64 =
        store.query_row("SELECT seq FROM desk_log WHERE line LIKE '%\"decide\"%'", [], |row| row.get(0))?;
    let changes = [
        (
            "changing a line",
            format!("UPDATE desk_log SET line = replace(line, 'mia', 'sam') WHERE seq = {decided}"),
        ),
        ("taking a line out", format!("DELETE FROM desk_log WHERE seq = {decided}")),
        (
            "moving a line",
            format!(
                "UPDATE desk_log SET line = (SELECT line FROM desk_log WHERE seq = {decided}) WHERE seq = 1"
            ),
        ),
    ];
    for (what, change) in changes {
        let before = kept(&store)?;
        carried_out(store.execute(&change, [])? == 1, what)?;
        let said = export(&ava).await?;
        held(said.status == 409, format!("{what}: the log is exported as if it were whole"))?;
        let word = "a line was changed or taken out";
        held(said.text().contains(word), format!("{what}: the page does not say so: {}", said.text()))?;
        put_back(&store, &before)?;
    }

    // Cut off its end, and go on from there: whole by itself, and signed.
    let before = kept(&store)?;
    store.execute("DELETE FROM desk_log WHERE seq >= ?1", [decided])?;
    differs(&export(&ava).await?, [&newer, &older, &state], "an end that was cut off")?;
    put_back(&store, &before)?;
    // All of it anew, with somebody else's name.
    let mut end = LogHead::default();
    for (seq, line, _) in &before {
        let mut entry: LogEntry = serde_json::from_str(line)?;
        if *seq == decided {
            entry.who.0 = "sam".into();
        }
        let (line, next) = end.append(entry);
        end = next;
        store.execute(
            "UPDATE desk_log SET line = ?1, hash = ?2 WHERE seq = ?3",
            (&line, end.hash.as_slice(), *seq),
        )?;
    }
    differs(&export(&ava).await?, [&newer, &older, &state], "a log that was made anew")?;
    Ok(format!(
        "the page says that \"a line was changed or taken out\"; a log made anew contradicts the older export of {} lines",
        head.seq
    ))
}

async fn export(by: &Seat) -> Verdict<Page> {
    by.posts("/desk/log", "/desk/log/export", &[]).await
}

fn keep(page: &Page, file: &Path) -> Verdict<()> {
    carried_out(page.status == 200, format!("exporting the log: {}", page.text()))?;
    Ok(fs::write(file, &page.bytes)?)
}

/// A log that is whole by itself, and not what the older export says.
fn differs(page: &Page, [newer, older, state]: [&Path; 3], what: &str) -> Verdict<()> {
    keep(page, newer)?;
    carried_out(check_log(newer, None, Some(state)).is_ok(), format!("{what} that is whole by itself"))?;
    match check_log(newer, Some(older), Some(state)) {
        Err(AuditFailure::Signed(why)) if why.contains("contradict each other") => Ok(()),
        Err(other) => Err(other.into()),
        Ok(_) => Err(Failure::Succeeded(format!("{what} goes on from the older export"))),
    }
}

type Lines = Vec<(i64, String, Vec<u8>)>;

fn kept(store: &Connection) -> Verdict<Lines> {
    let mut all = store.prepare("SELECT seq, line, hash FROM desk_log ORDER BY seq")?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put_back(store: &Connection, lines: &Lines) -> Verdict<()> {
    store.execute("DELETE FROM desk_log", [])?;
    for (seq, line, hash) in lines {
        store.execute("INSERT INTO desk_log (seq, line, hash) VALUES (?1, ?2, ?3)", (seq, line, hash))?;
    }
    Ok(())
}
