//! What a service's desk gave out: the evidence of a case, and the log. Checked offline.

use std::{fmt, fs, path::Path};

use zegel_cases::{
    Decision, LogHead, Measure, Ruled, Subject,
    archive::{self, Apart, ArchiveError, Checked, CheckedLog},
    utc,
};
use zegel_directory::Signers;

use crate::{Failure, state::State};

/// An archive that is in order.
#[derive(Clone, Debug)]
pub struct CaseFound {
    /// What it says.
    pub checked: Checked,
    /// Whether it is signed with a key of the service that the auditor followed; `false` if there was nothing to
    /// compare with.
    pub followed: bool,
}

/// A log that is in order.
#[derive(Clone, Debug)]
pub struct LogFound {
    /// What it says.
    pub log: CheckedLog,
    /// Where the older log ends that it continues.
    pub continues: Option<LogHead>,
    /// Whether it is signed with a key of the service that the auditor followed; `false` if there was nothing to
    /// compare with.
    pub followed: bool,
}

/// Checks an archive, and whether it is of the service that was followed with this state. It blocks.
///
/// # Errors
/// [`Failure::Signed`] if the service of the state is shown to have lied; anything else is a fault of the file, or of
/// whoever made it up.
pub fn check_case(file: &Path, state: Option<&Path>) -> Result<CaseFound, Failure> {
    let doing = || format!("checking {}", file.display());
    let state = state.map(load).transpose()?;
    let failed = |why: &dyn fmt::Display| Failure::own(doing(), why, "a copy from whoever gave it to you");
    let size = fs::metadata(file).map_err(|error| failed(&error))?.len();
    // An archive is never larger than what is in it, but for names and tables.
    if size > archive::MAX_BYTES + (64 << 20) {
        return Err(failed(&ArchiveError::TooLarge));
    }
    let bytes = fs::read(file).map_err(|error| failed(&error))?;
    match archive::check(&bytes) {
        Ok(checked) => {
            compare(&doing, &checked.domain, &checked.signers, state.as_ref())?;
            Ok(CaseFound { checked, followed: state.is_some() })
        }
        Err(ArchiveError::Stated(stated)) => {
            compare(&doing, &stated.domain, &stated.signers, state.as_ref())?;
            let wrong = stated.wrong;
            if state.is_none() {
                let why = format!("whoever signed it says what cannot be true: {wrong}");
                return Err(Failure::own(doing(), why, "--state, which tells whether the service signed it"));
            }
            Err(Failure::Signed(format!("signed evidence that cannot be true: {wrong}")))
        }
        Err(error @ ArchiveError::Version(_)) => Err(Failure::own(doing(), error, "a newer zegel-audit")),
        Err(error) => Err(failed(&error)),
    }
}

/// Checks an exported log, that it continues an older one, and whether both are of the service that was followed with
/// this state. It blocks.
///
/// # Errors
/// [`Failure::Signed`] if the service of the state signed two logs that contradict each other; anything else is a fault
/// of a file, or of whoever made it up.
pub fn check_log(file: &Path, before: Option<&Path>, state: Option<&Path>) -> Result<LogFound, Failure> {
    let doing = || format!("checking {}", file.display());
    let state = state.map(load).transpose()?;
    let older = before.map(read_log).transpose()?;
    let log = read_log(file)?;
    for log in older.iter().chain([&log]) {
        compare(&doing, &log.domain, &log.signers, state.as_ref())?;
    }
    if let Some(older) = &older
        && let Err(apart) = log.continues(older)
    {
        return Err(contradiction(&doing, &log, older, apart, state.is_some()));
    }
    Ok(LogFound { log, continues: older.map(|older| older.head), followed: state.is_some() })
}

/// What it means that a log does not continue an older one.
fn contradiction(
    doing: &dyn Fn() -> String,
    log: &CheckedLog,
    older: &CheckedLog,
    apart: Apart,
    followed: bool,
) -> Failure {
    if apart == Apart::Service {
        return Failure::own(doing(), apart, "an older log of the same service");
    }
    // A service that took lines back and signed that later is not excused by this.
    if log.made_ms <= older.made_ms && older.continues(log).is_ok() {
        let why = format!(
            "it was made {}, and the log after --before {}: they are swapped, or the service gave out an old log again",
            utc(log.made_ms),
            utc(older.made_ms)
        );
        return Failure::own(doing(), why, "the older log after --before");
    }
    if followed {
        return Failure::Signed(format!("signed two logs that contradict each other: {apart}"));
    }
    // The keys are the files' own: anybody can make up a service and two logs of it.
    let why = format!(
        "the two logs contradict each other, and whether the service signed them or somebody made them up was not \
         checked: {apart}"
    );
    Failure::own(doing(), why, "--state, which tells whether the service signed them")
}

fn load(path: &Path) -> Result<State, Failure> {
    let none = || {
        let doing = format!("reading the state {}", path.display());
        Failure::own(doing, "there is none", "the --state that zegel-audit follows the service with")
    };
    State::load(path)?.ok_or_else(none)
}

fn read_log(file: &Path) -> Result<CheckedLog, Failure> {
    let failed = |why: &dyn fmt::Display| {
        let doing = format!("checking {}", file.display());
        Failure::own(doing, why, "a copy from whoever exported it")
    };
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    archive::check_log(&text).map_err(|error| failed(&error))
}

/// Whether these keys are those of the service that was followed.
fn compare(
    doing: &dyn Fn() -> String,
    domain: &str,
    signers: &Signers,
    state: Option<&State>,
) -> Result<(), Failure> {
    let Some(state) = state else { return Ok(()) };
    let known = state.view.signers();
    if domain != state.view.domain() || signers.first() != known.first() {
        let followed = state.view.domain();
        let why = format!(
            "it is signed by another service (it says {domain}) than the one that was followed ({followed}): either it is \
             made up, or the service shows different people different keys"
        );
        return Err(Failure::own(doing(), why, "the --state of that service, and ask who gave it to you"));
    }
    if !signers.continues(known) && !known.continues(signers) {
        return Err(Failure::Signed("named two successors of one signing key".into()));
    }
    Ok(())
}

impl fmt::Display for CaseFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { domain, signers, signer, made_ms, case, reports, custody, files } = &self.checked;
        let (proven, withheld, unproven) = self.checked.counts();
        writeln!(f, "case {} of {domain}, as of {}", case.number, utc(*made_ms))?;
        match case.subject {
            Subject::Account(account) => writeln!(f, "about {} (account {})", case.handle, account.to_hex())?,
            Subject::Room(room) => writeln!(f, "about the group {}", hex::encode(room))?,
        }
        writeln!(f, "{files} files: all listed, none changed, none put in")?;
        writeln!(
            f,
            "{} reports; messages: {proven} proven, {withheld} withheld, {unproven} not proven",
            reports.len()
        )?;
        writeln!(
            f,
            "computed again: the sender's commitment to each proven message, order, gaps, times: as stated"
        )?;
        if let Some(Ruled { rule, least, days, counted, .. }) = &case.rule {
            writeln!(
                f,
                "brought by the rule {rule}: from {least} people in {days} days; at least {counted} were counted"
            )?;
        }
        decision(f, "decided", case.decision.as_ref())?;
        decision(f, "decided on appeal", case.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref()))?;
        if let Some(export) = &case.export {
            let allowed = export.allowed.as_ref().map_or("nobody", |allowed| &allowed.by.0);
            writeln!(f, "export: asked by {}, allowed by {allowed}", export.asked.by)?;
        }
        writeln!(f, "custody: {} lines of the desk's log", custody.len())?;
        writeln!(
            f,
            "signed with key {signer} of the service whose first key is {}",
            hex::encode(signers.first())
        )?;
        writeln!(f, "{}", followed(self.followed))?;
        write!(
            f,
            "It proves what this service stated, and that nothing was changed since. That the account sent a proven \
             message is the service's word: nobody else can check its stamps."
        )
    }
}

fn followed(followed: bool) -> &'static str {
    match followed {
        true => "that is the service which was followed with --state",
        false => "whether that is the service's key was not checked: --state would tell",
    }
}

fn decision(f: &mut fmt::Formatter<'_>, what: &str, decision: Option<&Decision>) -> fmt::Result {
    let Some(decision) = decision else { return Ok(()) };
    let (measure, ground) = (decision.measure.word(), decision.ground.word());
    let long = match decision.measure {
        Measure::RestrictFirstContact { days: 1 } | Measure::Suspend { days: 1 } => ", 1 day,".to_owned(),
        Measure::RestrictFirstContact { days } | Measure::Suspend { days } => format!(", {days} days,"),
        Measure::Dismiss | Measure::Warn | Measure::Ban => String::new(),
    };
    let by = if decision.by_rule() { "a rule of the service" } else { &decision.by.0 };
    writeln!(f, "{what}: {measure}{long} for {ground}, by {by}, {}", utc(decision.at_ms))
}

impl fmt::Display for LogFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckedLog { domain, made_ms, signers, head, .. } = &self.log;
        writeln!(
            f,
            "desk log of {domain}, as of {}: {} lines, none changed or taken out",
            utc(*made_ms),
            head.seq
        )?;
        writeln!(f, "it ends with {}", hex::encode(head.hash))?;
        if let Some(older) = self.continues {
            writeln!(f, "it continues the older log, which ends with line {}", older.seq)?;
        }
        writeln!(f, "signed by the service whose first key is {}", hex::encode(signers.first()))?;
        f.write_str(followed(self.followed))
    }
}
