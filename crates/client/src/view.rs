//! What a person is shown.

use serde::Serialize;
use zegel_cases::Category;
use zegel_proto::v1;

/// A line of a conversation: a message, a gap or a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Local number; a later line has a higher one.
    pub line: i64,
    /// `message`, `gap`, `notice`, `hidden`, `unsupported` or `service` (a statement of the service, checked).
    pub kind: &'static str,
    /// MIMI message id in hexadecimal; empty for what is no message.
    pub id: String,
    /// The other person's handle, or the group's name; empty for what belongs to no conversation.
    pub conversation: String,
    /// The sender's handle; empty for what nobody said.
    pub from: String,
    /// What to show.
    pub text: String,
    /// The sender's clock, milliseconds since 1970; 0 for none.
    pub sent_at: u64,
    /// The service's clock, milliseconds since 1970; 0 before it accepted.
    pub accepted_at: u64,
    /// Place in the conversation; 0 before the service accepted.
    pub seq: u64,
    /// `received`, `pending`, `accepted` or `failed`.
    pub state: &'static str,
    /// How the sender's devices are known: `verified` (numbers compared by hand), `proven` by the key directory,
    /// `promised` by it, `unknown` (not asked yet), `ended` (the account is gone), or `own`; empty for what nobody said.
    pub trust: &'static str,
}

/// What a report would disclose, to show before it is sent. Only the service at `to` gets it.
#[derive(Clone, Serialize)]
pub struct Draft {
    /// The service's domain.
    pub to: String,
    /// Whom it is about; empty when it is about a group as a whole.
    pub about: String,
    /// The group that the messages are from, or that it is about; empty for a direct chat, or without messages.
    pub group: String,
    /// The messages whose content is disclosed, in order.
    pub messages: Vec<Disclosure>,
    /// How many places between them are not, each a message, or what a device tells by itself (such as that somebody
    /// accepted): the service sees again whose they are and when.
    pub withheld: usize,
    /// In how many other conversations the person wrote too, if one was chosen for them: nothing of those is disclosed.
    pub elsewhere: usize,
    #[serde(skip)]
    pub(crate) report: v1::Report,
}

/// A message that a report discloses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// MIMI message id, hexadecimal.
    pub id: String,
    /// The sender's handle.
    pub from: String,
    /// The text, or what kind of message it is.
    pub text: String,
    /// Whether the text is all that was said. Otherwise the whole message is disclosed all the same.
    pub whole: bool,
    /// How many bytes are disclosed.
    pub bytes: usize,
    /// The sender's clock, milliseconds since 1970.
    pub sent_at: u64,
    /// The service's clock, milliseconds since 1970.
    pub accepted_at: u64,
    /// How many messages (or what devices tell by themselves) between the one before and this one are named and not
    /// disclosed.
    pub withheld_before: usize,
    /// How many this device does not have, or that do not fit into a report.
    pub missing_before: u64,
    /// What is named between the one before and this one, in order.
    pub named_before: Vec<Named>,
}

/// A place in a conversation that a report names: what was said there is not disclosed, who said it and when is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The sender's handle; empty if this device does not know it.
    pub from: String,
    /// The service's clock, milliseconds since 1970.
    pub accepted_at: u64,
    /// Whether something was said (a message, or what their device tells by itself), rather than keys or members changed.
    pub said: bool,
}

/// A report of ours, as the service has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The case's number.
    pub case: String,
    /// `received`, `in-review` or `decided`; in an export also `kept`, if the service has not taken it.
    pub state: &'static str,
    /// `action` or `no-action`, once it is decided.
    pub outcome: Option<&'static str>,
    /// How many messages were disclosed.
    pub messages: u32,
    /// How many of them are proven.
    pub proven: u32,
    /// For each in order: empty if it is proven, else why not.
    pub findings: Vec<String>,
    /// Whom or what it is about; empty if another device made it.
    pub about: String,
    /// The category's word.
    pub category: &'static str,
    /// When the service took it, milliseconds since 1970.
    pub reported_at: u64,
}

impl Reported {
    pub(crate) fn new(about: String, state: v1::ReportState) -> Self {
        use v1::report_state::{Outcome, State};
        Self {
            state: match state.state() {
                State::Received => "received",
                State::InReview => "in-review",
                State::Decided => "decided",
            },
            outcome: match state.outcome() {
                Outcome::None => None,
                Outcome::Action => Some("action"),
                Outcome::NoAction => Some("no-action"),
            },
            category: Category::from(state.category()).word(),
            case: state.case_number,
            messages: state.messages,
            proven: state.proven,
            findings: state.findings,
            about,
            reported_at: state.reported_ms,
        }
    }

    /// One that the service has not taken.
    pub(crate) fn kept(about: String, report: &v1::Report) -> Self {
        let disclosed = report.run.iter().filter(|link| !link.content.is_empty()).count();
        let state = v1::ReportState {
            category: report.category,
            messages: u32::try_from(disclosed).unwrap_or(u32::MAX),
            ..Default::default()
        };
        Self { state: "kept", ..Self::new(about, state) }
    }
}

/// What the service said to us about a case, checked: a key of its directory signed it, for us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The case's number.
    pub case: String,
    /// `decision`, `appeal-decision`, `report-outcome` or `appeal-taken`.
    pub about: &'static str,
    /// What it says.
    pub text: String,
    /// The measure against us, in one word; empty for none.
    pub measure: String,
    /// Until when that holds, milliseconds since 1970; 0 for good, or nothing that lasts.
    pub until: u64,
    /// Until when an appeal is taken, milliseconds since 1970; 0 for none.
    pub appeal_until: u64,
    /// When it was made, milliseconds since 1970.
    pub made_at: u64,
    /// BCP 47.
    pub language: String,
}

impl From<v1::Statement> for Statement {
    fn from(statement: v1::Statement) -> Self {
        use v1::statement::Kind;
        Self {
            about: match statement.kind() {
                Kind::Decision => "decision",
                Kind::AppealDecision => "appeal-decision",
                Kind::ReportOutcome => "report-outcome",
                Kind::AppealTaken => "appeal-taken",
            },
            case: statement.case_number,
            text: statement.text,
            measure: statement.measure,
            until: statement.until_ms,
            appeal_until: statement.appeal_until_ms,
            made_at: statement.made_ms,
            language: statement.language,
        }
    }
}
