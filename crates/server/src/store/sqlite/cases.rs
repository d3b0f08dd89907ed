//! Cases, their reports, and what people were told of them.

use rusqlite::{Error, Row, params};
use zegel_cases::State;

use super::tx::{SqliteTx, random_id};
use crate::store::{CaseRow, Cut, QueuePlace, ReportHead, ReportRow, StoreResult};

/// How many reports one step of a sweep deletes: they are long, and are overwritten as they go.
const REPORTS: usize = 32;

/// The queue behind a place: state, place, how many.
const QUEUE: &str = "
    SELECT number, subject, against, state, urgency, doubtful, opened_hour, day, sealed
    FROM desk_case
    WHERE state = ?1 AND (urgency, doubtful, opened_hour, number) > (?2, ?3, ?4, ?5)
    ORDER BY urgency, doubtful, opened_hour, number LIMIT ?6";
const QUEUE_LENGTH: &str = "SELECT count(*) FROM desk_case WHERE state = ?1";
/// About a subject, or about a group and decided against them: never both, so that no row comes twice.
const ABOUT: &str = "
    SELECT number, subject, against, state, urgency, doubtful, opened_hour, day, sealed
    FROM desk_case WHERE subject = ?1
    UNION ALL
    SELECT number, subject, against, state, urgency, doubtful, opened_hour, day, sealed
    FROM desk_case WHERE against = ?1
    ORDER BY day DESC, number DESC LIMIT ?2";

pub(super) fn get(tx: &mut SqliteTx<'_>, number: u64) -> StoreResult<Option<CaseRow>> {
    let sql = "SELECT number, subject, against, state, urgency, doubtful, opened_hour, day, sealed
               FROM desk_case WHERE number = ?1";
    tx.find("reading a case", sql, [number as i64], case)
}

pub(super) fn put(tx: &mut SqliteTx<'_>, row: &CaseRow) -> StoreResult<()> {
    let sql = "INSERT INTO desk_case
                 (id, number, subject, against, state, urgency, doubtful, opened_hour, day, sealed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (number) DO UPDATE SET
                 subject = ?3, against = ?4, state = ?5, urgency = ?6, doubtful = ?7, opened_hour = ?8,
                 day = ?9, sealed = ?10";
    tx.insert("writing a case", sql, random_id, |id, statement| {
        statement.execute(params![
            id,
            row.number as i64,
            row.subject,
            row.against,
            state_number(row.state),
            row.urgency,
            row.doubtful,
            row.opened_hour,
            row.day,
            row.sealed,
        ])
    })
}

pub(super) fn about(tx: &mut SqliteTx<'_>, subject: &[u8; 32], limit: usize) -> StoreResult<Vec<CaseRow>> {
    tx.list("looking for cases about the same", ABOUT, params![subject, rows(limit)], |row| {
        case(row).map(Some)
    })
}

pub(super) fn queue(
    tx: &mut SqliteTx<'_>,
    state: State,
    after: Option<QueuePlace>,
    limit: usize,
) -> StoreResult<Vec<CaseRow>> {
    // Without a place before it, behind one that comes before all.
    let urgency = after.map_or(-1, |place| i64::from(place.urgency));
    let doubtful = after.is_some_and(|place| place.doubtful);
    let hour = after.map_or(0, |place| place.opened_hour);
    let number = after.map_or(0, |place| place.number as i64);
    let values = params![state_number(state), urgency, doubtful, hour, number, rows(limit)];
    tx.list("reading the queue", QUEUE, values, |row| case(row).map(Some))
}

pub(super) fn queue_length(tx: &mut SqliteTx<'_>, state: State) -> StoreResult<u64> {
    let values = [state_number(state)];
    let count: Option<i64> = tx.find("counting the queue", QUEUE_LENGTH, values, |row| row.get(0))?;
    Ok(count.unwrap_or_default() as u64)
}

pub(super) fn report(tx: &mut SqliteTx<'_>, id: &[u8; 32]) -> StoreResult<Option<ReportRow>> {
    let sql = "SELECT tag, case_number, reporter, day, head, sealed FROM report WHERE tag = ?1";
    tx.find("reading a report", sql, [id], report_row)
}

pub(super) fn put_report(tx: &mut SqliteTx<'_>, row: &ReportRow) -> StoreResult<()> {
    let sql = "INSERT INTO report (id, tag, case_number, reporter, day, head, sealed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (tag) DO UPDATE SET case_number = ?3, reporter = ?4, day = ?5, head = ?6, sealed = ?7";
    tx.insert("writing a report", sql, random_id, |id, statement| {
        statement.execute(params![id, row.id, row.case as i64, row.reporter, row.day, row.head, row.sealed])
    })
}

pub(super) fn reports_in(tx: &mut SqliteTx<'_>, case: u64) -> StoreResult<Vec<ReportHead>> {
    // SQLite knows the length of a blob without reading it.
    let sql = "SELECT tag, head, length(sealed) FROM report WHERE case_number = ?1 ORDER BY day";
    tx.list("reading the reports of a case", sql, [case as i64], |row| {
        Ok(Some(ReportHead { id: row.get(0)?, head: row.get(1)?, len: row.get::<_, i64>(2)? as u64 }))
    })
}

pub(super) fn reports_by(
    tx: &mut SqliteTx<'_>,
    reporter: &[u8; 32],
    limit: usize,
) -> StoreResult<Vec<([u8; 32], u64)>> {
    let sql = "SELECT tag, case_number FROM report WHERE reporter = ?1 ORDER BY day DESC LIMIT ?2";
    tx.list("reading the reports of a person", sql, params![reporter, rows(limit)], |row| {
        Ok(Some((row.get(0)?, row.get::<_, i64>(1)? as u64)))
    })
}

pub(super) fn reported(tx: &mut SqliteTx<'_>, tag: &[u8; 32]) -> StoreResult<bool> {
    let sql = "SELECT 1 FROM reported WHERE tag = ?1";
    Ok(tx.find("looking for an earlier report", sql, [tag], |_| Ok(()))?.is_some())
}

pub(super) fn put_reported(tx: &mut SqliteTx<'_>, tag: &[u8; 32], day: u32) -> StoreResult<()> {
    let sql = "INSERT INTO reported (tag, day) VALUES (?1, ?2) ON CONFLICT (tag) DO UPDATE SET day = ?2";
    tx.execute("noting what was reported", sql, params![tag, day]).map(drop)
}

pub(super) fn put_statement(
    tx: &mut SqliteTx<'_>,
    person: &[u8; 32],
    day: u32,
    sealed: &[u8],
) -> StoreResult<()> {
    let sql = "INSERT INTO statement (id, person, day, sealed) VALUES (?1, ?2, ?3, ?4)";
    tx.insert("keeping a statement", sql, random_id, |id, statement| {
        statement.execute(params![id, person, day, sealed])
    })
}

pub(super) fn statements_for(tx: &mut SqliteTx<'_>, person: &[u8; 32]) -> StoreResult<Vec<Vec<u8>>> {
    let sql = "SELECT sealed FROM statement WHERE person = ?1 ORDER BY day";
    tx.list("reading the statements to a person", sql, [person], |row| row.get(0).map(Some))
}

/// Deletes cases with their reports, statements and notes that are past the cut, but nothing that is held.
pub(super) fn sweep(tx: &mut SqliteTx<'_>, cut: &Cut, limit: usize) -> StoreResult<usize> {
    let doing = "sweeping cases";
    let held: Vec<String> = cut.held_tags.iter().map(hex::encode_upper).collect();
    let held = serde_json::to_string(&held).expect("strings are JSON");
    let sql = "DELETE FROM statement WHERE id IN (
                 SELECT id FROM statement
                 WHERE day < ?1 AND hex(person) NOT IN (SELECT value FROM json_each(?2)) LIMIT ?3)";
    let mut gone = tx.execute(doing, sql, params![cut.case_day, held, rows(limit)])?;
    let sql = "DELETE FROM reported WHERE tag IN (SELECT tag FROM reported WHERE day < ?1 LIMIT ?2)";
    gone += tx.execute(doing, sql, params![cut.reported_day, rows(limit)])?;

    let sql = "SELECT number FROM desk_case
               WHERE day < ?1 AND hex(subject) NOT IN (SELECT value FROM json_each(?2))
                 AND hex(against) NOT IN (SELECT value FROM json_each(?2)) AND NOT EXISTS (
                 SELECT 1 FROM report
                 WHERE case_number = number AND hex(reporter) IN (SELECT value FROM json_each(?2)))
               ORDER BY day LIMIT ?3";
    let old: Vec<i64> =
        tx.list(doing, sql, params![cut.case_day, held, rows(limit)], |row| row.get(0).map(Some))?;
    let mut left = limit.min(REPORTS);
    for number in old {
        let sql = "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE case_number = ?1 LIMIT ?2)";
        let reports = tx.execute(doing, sql, params![number, rows(left)])?;
        gone += reports;
        left -= reports;
        if left == 0 {
            // What is left of this case goes in the next step.
            break;
        }
        gone += tx.execute(doing, "DELETE FROM desk_case WHERE number = ?1", [number])?;
    }
    Ok(gone)
}

fn case(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    Ok(CaseRow {
        number: row.get::<_, i64>(0)? as u64,
        subject: row.get(1)?,
        against: row.get(2)?,
        state: state(row, 3)?,
        urgency: row.get(4)?,
        doubtful: row.get(5)?,
        opened_hour: row.get(6)?,
        day: row.get(7)?,
        sealed: row.get(8)?,
    })
}

fn report_row(row: &Row<'_>) -> rusqlite::Result<ReportRow> {
    Ok(ReportRow {
        id: row.get(0)?,
        case: row.get::<_, i64>(1)? as u64,
        reporter: row.get(2)?,
        day: row.get(3)?,
        head: row.get(4)?,
        sealed: row.get(5)?,
    })
}

fn state_number(state: State) -> i64 {
    match state {
        State::Open => 0,
        State::Appealed => 1,
        State::Decided => 2,
        State::Closed => 3,
    }
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    match row.get(column)? {
        0 => Ok(State::Open),
        1 => Ok(State::Appealed),
        2 => Ok(State::Decided),
        3 => Ok(State::Closed),
        other => Err(Error::IntegralValueOutOfRange(column, other)),
    }
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, Params, StatementStatus, params};

    use super::{ABOUT, QUEUE, QUEUE_LENGTH};

    const CASES: i64 = 10_000;

    /// Cases in two states, of one hour, about few accounts, each with a sealed part that fills a page.
    fn filled() -> Connection {
        let conn = Connection::open_in_memory().expect("memory");
        conn.execute_batch(include_str!("v1.sql")).expect("the schema");
        let fill = "
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
            INSERT INTO desk_case
            SELECT n, random() & 0x7fffffffffff, unhex(printf('%064x', n % 100)),
                   iif(n % 3 = 0, unhex(printf('%064x', n % 100 + 1)), NULL), n % 5 / 4, n % 3, n % 7 = 0,
                   480000, 20000, zeroblob(4000) FROM n";
        conn.execute(fill, [CASES * 5 / 4]).expect("the cases");
        conn
    }

    fn plan(conn: &Connection, sql: &str) -> String {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        for n in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(n, 0).expect("a parameter");
        }
        let mut rows = statement.raw_query();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().expect("a plan") {
            lines.push(row.get::<_, String>("detail").expect("a line"));
        }
        lines.join("; ")
    }

    /// How many rows there are, and how many steps of SQLite's machine they took.
    fn cost(conn: &Connection, sql: &str, values: impl Params) -> (usize, i32) {
        let mut statement = conn.prepare(sql).expect("a statement");
        let rows = statement.query_map(values, |_| Ok(())).expect("rows").count();
        assert_eq!(statement.get_status(StatementStatus::Sort), 0, "{sql}");
        assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0, "{sql}");
        (rows, statement.get_status(StatementStatus::VmStep))
    }

    #[test]
    fn a_long_queue_is_read_along_its_index() {
        let conn = filled();
        let by_place = "SEARCH desk_case USING INDEX desk_case_by_place \
                        (state=? AND (urgency,doubtful,opened_hour,number)>(?,?,?,?))";
        assert_eq!(plan(&conn, QUEUE), by_place);
        assert!(plan(&conn, QUEUE_LENGTH).contains("COVERING INDEX desk_case_by_place (state=?)"));
        let about = plan(&conn, ABOUT);
        for index in ["desk_case_by_subject (subject=?)", "desk_case_by_against (against=?)"] {
            assert!(about.contains(index), "{about}");
        }
        let open = conn.query_row(QUEUE_LENGTH, [0], |row| row.get::<_, i64>(0));
        assert_eq!(open, Ok(CASES));

        let (first, steps) = cost(&conn, QUEUE, params![0, -1, 0, 0, 0, 50]);
        assert_eq!(first, 50);
        let last = "SELECT urgency, doubtful, opened_hour, number FROM desk_case WHERE state = 0
                    ORDER BY urgency, doubtful, opened_hour, number LIMIT 1 OFFSET ?1";
        let place: [i64; 4] = conn
            .query_row(last, [CASES - 31], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
            .expect("a place near the end");
        let [urgency, doubtful, hour, number] = place;
        let (late, late_steps) = cost(&conn, QUEUE, params![0, urgency, doubtful, hour, number, 50]);
        assert_eq!(late, 30);
        assert!(steps < 2000 && late_steps < 2000, "{steps} and {late_steps} steps for a page");
        let (_, steps) = cost(&conn, ABOUT, params![[0_u8; 32], 50]);
        assert!(steps < 2000, "{steps} steps for the cases about one account");
    }
}
