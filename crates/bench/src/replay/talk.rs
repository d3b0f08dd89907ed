//! One conversation between two clients, held as it was held, and compared on both screens.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tokio::{sync::watch, time::timeout};
use zegel_client::{AgeBand, Client, Line, Registration};

use crate::common::{Progress, Result};

/// Nothing between two connected clients takes this long.
const PATIENCE: Duration = Duration::from_secs(90);

/// A conversation of the file.
#[derive(Deserialize)]
pub struct Talk {
    pub id: String,
    pub messages: Vec<Message>,
    /// How many texts were empty and left out.
    #[serde(default)]
    pub empty: u64,
}

/// What somebody said.
#[derive(Deserialize)]
pub struct Message {
    pub from: Side,
    pub text: String,
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    A,
    B,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What became of a conversation.
#[derive(Default)]
pub struct Outcome {
    /// Texts that a client took to send.
    pub sent: u64,
    /// Of these: on both screens once, unchanged, from the right person, behind the right one.
    pub shown: u64,
    /// Of these: never shown to who should read it.
    pub lost: u64,
    pub problems: Vec<String>,
}

impl Outcome {
    pub fn failed(why: String) -> Self {
        Self { problems: vec![why], ..Self::default() }
    }
}

/// Reads the file.
pub fn read(path: &PathBuf) -> Result<Vec<Talk>> {
    let text = fs::read_to_string(path).map_err(|e| format!("while reading {}: {e}", path.display()))?;
    let mut talks = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut talk: Talk = serde_json::from_str(line)
            .map_err(|e| format!("while reading line {} of {}: {e}", number + 1, path.display()))?;
        let all = talk.messages.len();
        talk.messages.retain(|message| !message.text.is_empty());
        talk.empty = (all - talk.messages.len()) as u64;
        talks.push(talk);
    }
    Ok(talks)
}

/// Holds a conversation between two new people and compares what both see. The profiles are removed again.
pub async fn hold(talk: Talk, number: usize, home: &Path, url: &str, progress: &Progress) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(error) = hold_and_compare(&talk, number, home, url, progress, &mut outcome).await {
        outcome.problems.insert(0, format!("conversation {} ({number}): {error}", talk.id));
    }
    let _ = fs::remove_dir_all(home);
    outcome
}

async fn hold_and_compare(
    talk: &Talk,
    number: usize,
    home: &Path,
    url: &str,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result {
    let [mut a, mut b] = [
        Person::register(format!("ann{number:04}"), home, url).await?,
        Person::register(format!("ben{number:04}"), home, url).await?,
    ];
    let mut ids = Vec::new();
    let held = converse(talk, &mut a, &mut b, &mut ids, progress).await;
    compare(talk, &ids, [&a, &b], outcome)?;
    a.client.close().await;
    b.client.close().await;
    held
}

async fn converse(
    talk: &Talk,
    a: &mut Person,
    b: &mut Person,
    ids: &mut Vec<String>,
    progress: &Progress,
) -> Result {
    let mut before: Option<Side> = None;
    for message in &talk.messages {
        let (sender, other) = match message.from {
            Side::A => (&mut *a, &mut *b),
            Side::B => (&mut *b, &mut *a),
        };
        match before {
            None => {
                ids.push(sender.client.send(&other.handle, &message.text).await?);
                other.until("a request", |p| Ok(!p.client.requests()?.is_empty())).await?;
                other.client.accept(&sender.handle).await?;
                sender.until("the acceptance", |p| Ok(p.noticed)).await?;
            }
            Some(side) => {
                // Whoever answers has read what came before.
                if side != message.from {
                    sender.until_shown(ids.len()).await?;
                }
                ids.push(sender.client.send_later(&other.handle, &message.text).await?);
            }
        }
        before = Some(message.from);
        progress.add(1);
    }
    a.until_shown(ids.len()).await?;
    b.until_shown(ids.len()).await?;
    a.client.sync(PATIENCE).await?;
    b.client.sync(PATIENCE).await?;
    Ok(())
}

/// Holds both screens against the file.
fn compare(talk: &Talk, ids: &[String], people: [&Person; 2], outcome: &mut Outcome) -> Result {
    let screens = [people[0].screen()?, people[1].screen()?];
    let handle = |side| if side == Side::A { &people[0].handle } else { &people[1].handle };
    for lines in &screens {
        let odd =
            lines.iter().filter(|line| !matches!(line.kind, "message" | "notice") || line.state == "failed");
        outcome
            .problems
            .extend(odd.map(|line| format!("conversation {}: {}: {}", talk.id, line.kind, line.text)));
    }
    let screens =
        screens.map(|lines| Screen::new(lines.into_iter().filter(|l| l.kind == "message").collect()));
    for (place, (id, message)) in ids.iter().zip(&talk.messages).enumerate() {
        outcome.sent += 1;
        let before = place.checked_sub(1).map(|before| ids[before].as_str());
        let from = handle(message.from);
        let wrong = screens.each_ref().map(|screen| screen.wrong(id, before, &message.text, from));
        let receiver = match message.from.other() {
            Side::A => &screens[0],
            Side::B => &screens[1],
        };
        if wrong.iter().all(Option::is_none) {
            outcome.shown += 1;
        } else if !receiver.places.contains_key(id) {
            outcome.lost += 1;
        }
        for (why, person) in wrong.iter().zip(people) {
            let problem =
                |why| format!("conversation {}: {} sees message {place} {why}", talk.id, person.handle);
            outcome.problems.extend(why.map(problem));
        }
    }
    for screen in &screens {
        if screen.lines.len() > ids.len() {
            let more = screen.lines.len() - ids.len();
            outcome.problems.push(format!("conversation {}: {more} messages too many", talk.id));
        }
    }
    Ok(())
}

/// The messages that a person sees, and where each is.
struct Screen {
    lines: Vec<Line>,
    places: HashMap<String, Vec<usize>>,
}

impl Screen {
    fn new(lines: Vec<Line>) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, line) in lines.iter().enumerate() {
            places.entry(line.id.clone()).or_default().push(place);
        }
        Self { lines, places }
    }

    /// What is wrong with how a message is shown, if anything is.
    fn wrong(&self, id: &str, before: Option<&str>, text: &str, from: &str) -> Option<&'static str> {
        let at = match self.places.get(id).map(Vec::as_slice) {
            Some([at]) => *at,
            Some(_) => return Some("more than once"),
            None => return Some("not at all"),
        };
        let line = &self.lines[at];
        let behind = at.checked_sub(1).map(|before| self.lines[before].id.as_str());
        match () {
            () if line.text != text => Some("changed"),
            () if line.from != from => Some("from somebody else"),
            () if behind != before => Some("out of order"),
            () => None,
        }
    }
}

struct Person {
    client: Client,
    handle: String,
    changes: watch::Receiver<u64>,
    /// Ids of the messages that were shown so far.
    seen: HashSet<String>,
    /// Whether anything else was shown: the notice that the other accepted.
    noticed: bool,
    /// The last line that was read.
    last: i64,
}

impl Person {
    async fn register(handle: String, home: &Path, url: &str) -> Result<Self> {
        let registration =
            Registration { handle: handle.clone(), age: AgeBand::Adult, language: "en".into(), invite: None };
        let client = Client::register(&home.join(&handle), url, &registration).await?;
        // Whoever is introduced to them needs their keys at the server.
        client.caught_up(PATIENCE).await?;
        Ok(Self { changes: client.changes(), client, handle, seen: HashSet::new(), noticed: false, last: 0 })
    }

    /// Everything on the screen.
    fn screen(&self) -> Result<Vec<Line>> {
        Ok(self.client.read(None, 0, false, false)?)
    }

    /// Waits until so many messages are shown.
    async fn until_shown(&mut self, count: usize) -> Result {
        let what = format!("message {count}");
        self.until(&what, |p| Ok(p.seen.len() >= count)).await
    }

    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> Result<bool>) -> Result {
        let waiting = async {
            loop {
                self.changes.borrow_and_update();
                // A message of one's own comes up again when it is accepted: it moves to where the service put it.
                for line in self.client.read(None, self.last, false, false)? {
                    self.last = line.line;
                    self.noticed |= line.kind == "notice";
                    if line.kind == "message" {
                        self.seen.insert(line.id);
                    }
                }
                if done(self)? {
                    return Ok(());
                }
                self.changes.changed().await?;
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| Err(format!("{} waited in vain for {what}", self.handle).into()))
    }
}
