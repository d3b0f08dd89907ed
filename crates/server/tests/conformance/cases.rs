//! Cases, reports, and what people were told.

use zegel_cases::State;
use zegel_server::store::{CaseRow, Cut, ReportHead, ReportRow, Store};

use crate::common::*;

fn case(number: u64) -> CaseRow {
    CaseRow {
        number,
        subject: [1; 32],
        against: None,
        state: State::Open,
        urgency: 1,
        doubtful: false,
        opened_hour: 480_000,
        day: 20_000,
        sealed: b"sealed".to_vec(),
    }
}

fn report(id: u8, case: u64) -> ReportRow {
    ReportRow {
        id: [id; 32],
        case,
        reporter: [7; 32],
        day: 20_000,
        head: vec![id; 9],
        sealed: vec![id; 300_000],
    }
}

fn head(row: &ReportRow) -> ReportHead {
    ReportHead { id: row.id, head: row.head.clone(), len: row.sealed.len() as u64 }
}

fn put(store: &dyn Store, rows: impl IntoIterator<Item = CaseRow>) {
    let rows: Vec<CaseRow> = rows.into_iter().collect();
    write(store, move |tx| rows.iter().try_for_each(|row| tx.put_case(row))).unwrap();
}

fn numbers(rows: &[CaseRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

fn sweep(store: &dyn Store, cut: Cut, limit: usize) -> u64 {
    write(store, move |tx| tx.sweep(&cut, limit)).unwrap()
}

pub fn cases_change(at: &dyn Place) {
    let store = at.open();
    let mut first = case(1 << 49);
    put(&*store, [first.clone(), case(2)]);
    let get = |number| read(&*store, move |tx| tx.case(number)).unwrap();
    assert_eq!(get(1 << 49), Some(first.clone()));
    assert_eq!(get(3), None);
    for state in [State::Appealed, State::Decided, State::Closed, State::Open] {
        first = CaseRow {
            state,
            urgency: 0,
            doubtful: !first.doubtful,
            against: (state == State::Decided).then_some([3; 32]),
            day: first.day + 1,
            sealed: vec![state as u8; 40],
            ..first
        };
        put(&*store, [first.clone()]);
        assert_eq!(get(1 << 49), Some(first.clone()));
        assert_eq!(
            read(&*store, move |tx| tx.queue_length(state)).unwrap(),
            1 + u64::from(state == State::Open)
        );
    }
    assert_eq!(get(2), Some(case(2)));
}

pub fn the_queue_is_in_order(at: &dyn Place) {
    let store = at.open();
    let mut rows = Vec::new();
    for urgency in [2, 0, 1] {
        for doubtful in [true, false] {
            for opened_hour in [480_001, 480_000, 0] {
                for _ in 0..3 {
                    let number = rand::random::<u64>() >> 14;
                    rows.push(CaseRow { urgency, doubtful, opened_hour, ..case(number) });
                }
            }
        }
    }
    put(&*store, rows.clone());
    put(&*store, [CaseRow { state: State::Decided, urgency: 0, ..case(5) }]);
    rows.sort_by_key(CaseRow::place);
    let length = |state| read(&*store, move |tx| tx.queue_length(state)).unwrap();
    assert_eq!(
        [length(State::Open), length(State::Decided), length(State::Closed)],
        [rows.len() as u64, 1, 0]
    );
    for limit in [1, 7, usize::MAX] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = read(&*store, move |tx| tx.queue(State::Open, after, limit)).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            seen.extend(page);
        }
        assert_eq!(numbers(&seen), numbers(&rows));
    }
    // The page goes on from a place even if its case was decided meanwhile.
    let gone = CaseRow { state: State::Decided, ..rows[10].clone() };
    let after = gone.place();
    put(&*store, [gone]);
    let page = read(&*store, move |tx| tx.queue(State::Open, Some(after), 2)).unwrap();
    assert_eq!(page, rows[11..13]);
}

pub fn cases_about_the_same(at: &dyn Place) {
    let store = at.open();
    let on = |number, day| CaseRow { day, ..case(number) };
    let group = CaseRow { subject: [2; 32], against: Some([1; 32]), ..on(5, 20_004) };
    put(
        &*store,
        [on(1, 20_003), on(2, 20_009), on(3, 20_001), CaseRow { subject: [2; 32], ..on(4, 20_010) }, group],
    );
    let about = |subject, limit| numbers(&read(&*store, move |tx| tx.cases_about(&subject, limit)).unwrap());
    assert_eq!(about([1; 32], 10), [2, 5, 1, 3], "also what was decided against them in a group");
    assert_eq!(about([1; 32], 2), [2, 5]);
    assert_eq!(about([2; 32], 10), [4, 5]);
    assert_eq!(about([3; 32], 10), [0; 0]);
}

pub fn reports(at: &dyn Place) {
    let store = at.open();
    let late = ReportRow { day: 20_005, ..report(1, 10) };
    let theirs = ReportRow { reporter: [8; 32], ..report(3, 10) };
    let rows = [late.clone(), report(2, 11), theirs.clone()];
    write(&*store, move |tx| {
        [10, 11].into_iter().try_for_each(|number| tx.put_case(&case(number)))?;
        rows.iter().try_for_each(|row| tx.put_report(row))
    })
    .unwrap();
    read(&*store, move |tx| {
        assert_eq!(tx.report(&[1; 32])?, Some(late.clone()));
        assert_eq!(tx.report(&[4; 32])?, None);
        assert_eq!(tx.reports_in(10)?, [head(&theirs), head(&late)], "by day");
        assert_eq!(tx.reports_in(12)?, []);
        let newest_first = [late, report(2, 11)].map(|report| (report.id, report.case));
        assert_eq!(tx.reports_by(&[7; 32], 9)?, newest_first);
        assert_eq!(tx.reports_by(&[7; 32], 1)?, newest_first[..1]);
        assert_eq!(tx.reports_by(&[9; 32], 9)?, []);
        Ok(())
    })
    .unwrap();
    // The same name again is the same report.
    let again = ReportRow { sealed: b"other".to_vec(), ..report(2, 11) };
    let put = again.clone();
    write(&*store, move |tx| tx.put_report(&put)).unwrap();
    assert_eq!(read(&*store, |tx| tx.reports_in(11)).unwrap(), [head(&again)]);
    assert_eq!(store.verify().unwrap(), [""; 0]);
    write(&*store, |tx| tx.put_report(&report(9, 99))).unwrap();
    assert_eq!(store.verify().unwrap(), ["1 reports without a case"]);
}

pub fn notes_of_what_was_reported(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        assert!(!tx.reported(&[1; 32])?);
        tx.put_reported(&[1; 32], 20_000)?;
        tx.put_reported(&[1; 32], 20_001)?;
        assert!(tx.reported(&[1; 32])?);
        assert!(!tx.reported(&[2; 32])?);
        tx.put_reported(&[2; 32], 20_000)
    })
    .unwrap();
    assert_eq!(sweep(&*store, Cut { reported_day: 20_000, ..Cut::default() }, 10), 0);
    assert_eq!(sweep(&*store, Cut { reported_day: 20_001, ..Cut::default() }, 10), 1);
    assert!(read(&*store, |tx| tx.reported(&[1; 32])).unwrap());
}

pub fn statements(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        tx.put_statement(&[1; 32], 20_002, b"later")?;
        tx.put_statement(&[1; 32], 20_001, b"same")?;
        tx.put_statement(&[1; 32], 20_001, b"same")?;
        tx.put_statement(&[2; 32], 20_001, b"theirs")
    })
    .unwrap();
    let told = |person| read(&*store, move |tx| tx.statements_for(&person)).unwrap();
    assert_eq!(told([1; 32]), [&b"same"[..], b"same", b"later"]);
    assert_eq!(told([3; 32]), [b""; 0]);
    let cut = Cut { case_day: 20_002, held_tags: vec![[2; 32]], ..Cut::default() };
    assert_eq!(sweep(&*store, cut.clone(), 1), 1);
    assert_eq!(sweep(&*store, cut.clone(), 10), 1);
    assert_eq!(sweep(&*store, cut, 10), 0);
    assert_eq!((told([1; 32]), told([2; 32])), (vec![b"later".to_vec()], vec![b"theirs".to_vec()]));
}

pub fn old_cases_go(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        let old = |number, day| CaseRow { day, ..case(number) };
        for row in [old(1, 100), old(2, 101), old(3, 102), CaseRow { subject: [9; 32], ..old(4, 100) }] {
            tx.put_case(&row)?;
        }
        tx.put_case(&old(5, 100))?;
        tx.put_case(&CaseRow { subject: [8; 32], against: Some([9; 32]), ..old(6, 100) })?;
        tx.put_report(&ReportRow { reporter: [6; 32], ..report(100, 5) })?;
        (0..90).try_for_each(|id| {
            tx.put_report(&ReportRow { sealed: vec![id; 1000], ..report(id, 1 + u64::from(id) % 5) })
        })
    })
    .unwrap();
    // One is about somebody under a legal hold, one was decided against them, another was reported by somebody who is.
    let cut = Cut { case_day: 102, held_tags: vec![[6; 32], [9; 32]], ..Cut::default() };
    let (mut gone, mut steps) = (0, 0);
    loop {
        let step = sweep(&*store, cut.clone(), 500);
        assert_eq!(store.verify().unwrap(), [""; 0]);
        if step == 0 {
            break;
        }
        assert!(step <= 32 + 5, "reports are long: {step}");
        (gone, steps) = (gone + step, steps + 1);
    }
    assert_eq!(gone, 2 + 2 * 18);
    assert!(steps > 1);
    read(&*store, |tx| {
        assert!(tx.case(6)?.is_some());
        for (number, reports) in [(1, 0), (2, 0), (3, 18), (4, 18), (5, 19)] {
            assert_eq!(tx.case(number)?.is_some(), reports > 0, "{number}");
            assert_eq!(tx.reports_in(number)?.len(), reports, "{number}");
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(
        sweep(&*store, Cut { held_tags: Vec::new(), ..cut }, 1),
        1,
        "in steps as small as they are asked for"
    );
}
