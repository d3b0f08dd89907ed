//! Reporting, and what becomes of reports and of us.

use zegel_proto::{
    Code,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    Link, Shared,
    checks::tolerate_alarm,
    directory::{learn_signers, our_view},
    unexpected,
};
use crate::{Error, Result};

/// Sends a report that [`crate::core::Core::begin_report`] keeps. A lost answer leaves it kept, so that the next attempt
/// is the same report; so does a service that no longer knows whom it is about.
pub(crate) async fn report<L: Link>(
    shared: &Shared,
    link: &L,
    report: v1::Report,
) -> Result<v1::ReportState> {
    let doing = "reporting";
    let id = report.id.clone();
    match link.call(doing, Call::Report(report)).await {
        Ok(Answer::Report(state)) if state.id == id => {
            shared.core().step(|core| core.db.report_answered(&state))?;
            Ok(state)
        }
        Ok(_) => unexpected(doing),
        Err(error @ Error::Refused { code: Code::NotFound, .. }) => Err(error),
        Err(error @ Error::Refused { .. }) if !error.is_passing() => {
            shared.core().step(|core| core.db.drop_report(&id))?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Fetches how our reports stand.
pub(crate) async fn fetch_reports<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let doing = "asking for reports";
    let Answer::Reports(answer) = link.call(doing, Call::FetchReports(v1::FetchReports {})).await? else {
        return unexpected(doing);
    };
    shared.core().step(|core| answer.reports.iter().try_for_each(|state| core.db.report_answered(state)))
}

/// Fetches the service's statements about us.
pub(crate) async fn fetch_statements<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let doing = "asking for decisions";
    let call = Call::FetchStatements(v1::FetchStatements {});
    let Answer::Statements(answer) = link.call(doing, call).await? else { return unexpected(doing) };
    // Oldest first, as they would have come by mail.
    shared
        .core()
        .step(|core| answer.statements.iter().rev().try_for_each(|signed| core.statement(signed)))?;
    // A directory that is caught at a lie now is an alarm; what was proven before stays.
    tolerate_alarm(learn_keys(shared, link).await)
}

/// Looks for the keys of statements that wait for them, now and then.
pub(crate) async fn check_statements<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let due = shared.core().statements_due()?;
    if due { tolerate_alarm(learn_keys(shared, link).await) } else { Ok(()) }
}

async fn learn_keys<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    if shared.core().db.statements(crate::db::Standing::Waits)?.is_empty() {
        return Ok(());
    }
    our_view(shared, link).await?;
    let epoch = learn_signers(shared, link).await?;
    shared.core().step(|core| core.settle_statements(epoch))
}

/// Asks for another look at a decision about us.
pub(crate) async fn appeal<L: Link>(link: &L, case_number: String, text: String) -> Result<()> {
    let doing = "appealing";
    match link.call(doing, Call::Appeal(v1::Appeal { case_number, text })).await? {
        Answer::Done(_) => Ok(()),
        _ => unexpected(doing),
    }
}
