//! The command line.

use std::path::PathBuf;

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use zegel_client::Category;

pub use self::young::{Age, Guardian, Safety};

mod young;

#[derive(Parser)]
#[command(
    name = "zegel",
    version,
    about = "Messages that are sealed from the first one",
    max_term_width = 100
)]
#[command(after_help = "A text that begins with a dash goes after `--`: zegel send bob -- -1 of 10")]
pub struct Arguments {
    /// The profile folder [default: ZEGEL_HOME, or the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// One JSON object a line, errors too
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Makes an account
    Register {
        /// Your public name: a-z, 0-9, '.', '_', '-'
        handle: String,
        /// The service: http://… or https://…
        #[arg(long, value_name = "URL")]
        server: String,
        /// Your age band: child (up to 12 years), teen (13 to 17) or adult; asked for at a terminal if left out. Who does not say is protected like a child
        #[arg(long, value_name = "BAND", value_parser = Age::read)]
        age: Option<Age>,
        /// An invite code, where the service wants one
        #[arg(long, value_name = "CODE")]
        invite: Option<String>,
    },
    #[command(flatten)]
    Use(Use),
    /// Prints messages as they come, until Ctrl-C. On a minor's device not in the quiet hours
    Follow,
    /// Shows the rules that protect people here, children first; and who helps
    #[command(disable_help_subcommand = true)]
    Safety {
        #[command(subcommand)]
        command: Option<Safety>,
    },
    /// Deletes your account at the service, and this profile
    DeleteAccount {
        /// Your handle, to confirm
        handle: String,
        /// Does not ask again
        #[arg(long)]
        yes: bool,
    },
}

/// What is done with an account that is there and stays.
#[derive(Subcommand)]
pub enum Use {
    /// Sends a text; prints its message id once the service has accepted it
    Send {
        /// A handle, or a group's name
        to: String,
        /// What to say; `-` reads it from standard input
        text: String,
    },
    /// Shows who waits for your answer
    Requests,
    /// Accepts a person, or the group that they added you to
    ///
    /// A minor is asked again before joining a group with people whom they do not know. A child who has a guardian asks
    /// the guardian this way.
    Accept {
        /// Whose request, or which group
        handle: String,
        /// Does not ask again
        #[arg(long)]
        yes: bool,
    },
    /// Declines; they are not told
    Decline {
        /// Whose request, or which group
        handle: String,
    },
    /// Blocks a person, with all their devices; they are not told
    ///
    /// It holds for every account that the service knows to be theirs. It does not know of an account that they made
    /// without an invite.
    Block {
        /// Whom
        handle: String,
    },
    /// Lifts a block
    Unblock {
        /// Whom
        handle: String,
    },
    /// Tells the service about a person, a group or messages, and proves what was said
    ///
    /// What would be disclosed is shown first. The service gets it, and may have to pass it on to authorities, with your
    /// handle; whoever is reported is not told who did.
    Report(Report),
    /// Shows your reports: the case's number, how it stands, what came of it
    Reports,
    /// Shows what the service decided about you, and told you of your reports
    Decisions,
    /// Asks that somebody else looks at a decision about you
    Appeal {
        /// The case's number
        case: String,
        /// Why the decision is wrong; `-` reads it from standard input
        text: String,
    },
    /// Makes a contact code to give to one person
    Code,
    /// Connects with the person whose contact code this is
    Connect {
        /// The whole line that `code` printed for them
        code: String,
    },
    /// Lets somebody whom you know come to a friend of yours; the friend sees that it was you
    Vouch {
        /// Your friend, who will be asked
        friend: String,
        /// Who wants to write to them, and knows you
        newcomer: String,
    },
    /// Shows your age band, or changes it
    ///
    /// Anybody may become younger, at once. To become older needs an invite that says so, or, for a child who has one, the
    /// guardian, who is asked.
    Age {
        /// Child: up to 12 years; teen: 13 to 17; adult: 18 and more
        #[arg(value_name = "BAND", value_parser = Age::read)]
        band: Option<Age>,
        /// An invite code that sets this age
        #[arg(long, value_name = "CODE", requires = "band")]
        invite: Option<String>,
    },
    /// Shows who looks after you, or whom you look after
    Guardian {
        #[command(subcommand)]
        command: Option<Guardian>,
    },
    /// Shows messages
    Read {
        /// Only with this person or group
        with: Option<String>,
        /// Only what was not shown before
        #[arg(long)]
        new: bool,
        /// Waits so long for something new, if there is nothing
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        wait: u32,
    },
    /// Groups
    #[command(subcommand)]
    Group(Group),
    /// Shows the number that you and a person compare, for those who want to; or compares theirs
    Verify {
        /// With whom
        handle: String,
        /// Their number, or what their code says
        #[arg(num_args = 0..)]
        theirs: Vec<String>,
    },
    /// What the service's key directory says about a person's devices
    #[command(subcommand)]
    Directory(Directory),
    /// Shows your devices
    Devices {
        #[command(subcommand)]
        command: Option<Devices>,
    },
    /// Shows what was found wrong with the service or somebody's devices
    Alarms {
        /// Those that were acknowledged too
        #[arg(long)]
        all: bool,
        /// Acknowledges them: other commands no longer show them
        #[arg(long)]
        seen: bool,
    },
    /// Shows who you are
    Whoami,
    /// Fetches what waits and sends what can be sent
    Sync,
    /// Prints all that is yours
    Export,
}

#[derive(Args)]
pub struct Report {
    /// A handle, a group's name, or message ids (or their beginnings) as `read --json` shows them
    #[arg(required = true, value_name = "HANDLE|NAME|ID")]
    pub about: Vec<String>,
    /// What it is
    #[arg(long, value_name = "CATEGORY", value_parser = category())]
    pub reason: Category,
    /// What else there is to know, in your words
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
    /// Blocks the person too
    #[arg(long)]
    pub block: bool,
    /// How many of the last messages of a person or group are disclosed, 1 to 30 [default: 5]
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// Does not ask again
    #[arg(long)]
    pub yes: bool,
}

/// The categories, each with the line that says what it means.
fn category() -> impl TypedValueParser<Value = Category> {
    let words = Category::ALL.iter().map(|it| PossibleValue::new(it.word()).help(it.line()));
    PossibleValuesParser::new(words)
        .try_map(|word| Category::from_word(&word).ok_or("not one of the categories"))
}

#[derive(Subcommand)]
pub enum Directory {
    /// Shows a person's entry, proven; or the newest root that this device has seen
    Show {
        /// Whose; your own too
        handle: Option<String>,
    },
    /// Shows every entry that a handle ever had, proven to be all
    History {
        /// Whose; your own too
        handle: String,
    },
    /// After an alarm about the directory itself: begins anew with what the service shows now
    TrustAnew {
        /// Does not ask again
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub enum Devices {
    /// Takes a device off your list, for ever
    Revoke {
        /// Its id, or an unambiguous beginning
        id: String,
    },
}

#[derive(Subcommand)]
pub enum Group {
    /// Creates a group with these people
    Create {
        /// Its name
        name: String,
        /// Whom to add
        #[arg(required = true)]
        handles: Vec<String>,
    },
    /// Adds people
    Add {
        /// Which group
        name: String,
        /// Whom to add
        #[arg(required = true)]
        handles: Vec<String>,
    },
    /// Removes people
    Remove {
        /// Which group
        name: String,
        /// Whom to remove
        #[arg(required = true)]
        handles: Vec<String>,
    },
    /// Leaves a group
    Leave {
        /// Which group
        name: String,
    },
    /// Tells a group that you blocked somebody in it, in a message that everybody there sees
    Warn {
        /// Which group
        name: String,
        /// About whom; you blocked them
        handle: String,
        /// Does not ask again
        #[arg(long)]
        yes: bool,
    },
    /// Gives a group another name
    Rename {
        /// Which group
        name: String,
        /// Its new name
        new: String,
    },
    /// Shows your groups
    List,
}
