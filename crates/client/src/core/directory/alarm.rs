//! Alarms: what the service was caught at, what it means, and what to do.

use serde_json::{Value, json};
use zegel_directory::{Lie, Root, SeenRoot, SignedPromise, SignerLink, View};
use zegel_proto::{Message as _, v1};

use super::{DISTRUSTED, Doubt};
use crate::{
    Error, Result,
    core::Core,
    db::{ItemKind, NewItem},
};

/// The kinds with their words: one list, so that whatever is written can be read.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)*) => {
        /// What an alarm is about. Its word is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum AlarmKind {
            $($(#[$doc])* $kind,)*
        }

        impl AlarmKind {
            /// The stable word.
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// From the stable word.
            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// Two roots for one epoch.
    Fork = "fork",
    /// An older root after a newer one.
    Rollback = "rollback",
    /// Other signing keys, or one that was replaced.
    Keys = "keys",
    /// A root without the way down to the one before.
    Unlinked = "unlinked",
    /// Another placing of handles.
    Vrf = "vrf",
    /// An epoch that others have seen.
    Hidden = "hidden",
    /// A promise that was not kept.
    Broken = "broken",
    /// A root dated before an older one.
    Time = "time",
    /// Something proven that is gone.
    Removed = "removed",
    /// Devices without proof or promise.
    Unproven = "unproven",
    /// A handle of another account.
    Handle = "handle",
    /// A chain that does not continue the one we know.
    Rewritten = "rewritten",
    /// Our own entry is not what we did.
    Own = "own",
    /// A device of ours that this one did not add.
    Device = "device",
    /// Somebody sees a directory that has nothing in common with ours.
    Elsewhere = "elsewhere",
}

impl AlarmKind {
    /// Of a doubt about somebody, or about ourselves.
    pub(crate) fn of(doubt: &Doubt, own: bool) -> Self {
        match doubt {
            Doubt::Directory(lie) => match lie {
                Lie::Fork(_) => Self::Fork,
                Lie::Rollback { .. } => Self::Rollback,
                Lie::Keys | Lie::OldKey(_) => Self::Keys,
                Lie::Unlinked { .. } => Self::Unlinked,
                Lie::Vrf => Self::Vrf,
                Lie::Hidden(_) => Self::Hidden,
                Lie::Broken(_) => Self::Broken,
                Lie::Time(_) => Self::Time,
                Lie::Rewritten { .. } => Self::Removed,
                _ if own => Self::Own,
                _ => Self::Unproven,
            },
            _ if own => Self::Own,
            Doubt::Handle => Self::Handle,
            Doubt::Rewritten => Self::Rewritten,
            Doubt::Chain(_) | Doubt::Other | Doubt::Unproven | Doubt::Refused | Doubt::Ended => {
                Self::Unproven
            }
        }
    }

    /// Whether it shows that the directory as a whole cannot be believed: nothing new is taken from it then.
    pub(crate) fn stops_the_directory(self) -> bool {
        match self {
            Self::Fork
            | Self::Rollback
            | Self::Keys
            | Self::Unlinked
            | Self::Vrf
            | Self::Hidden
            | Self::Broken
            | Self::Time
            | Self::Removed => true,
            Self::Unproven | Self::Handle | Self::Rewritten | Self::Own | Self::Device | Self::Elsewhere => {
                false
            }
        }
    }
}

impl Core {
    /// Raises the alarm that a doubt deserves; returns what the operation fails with.
    pub(crate) fn raise(&mut self, about: &str, doubt: &Doubt, evidence: &[u8]) -> Result<Error> {
        self.step(|core| core.note_doubt(about, doubt, evidence))
    }

    /// The same, as a part of a step.
    pub(super) fn note_doubt(&mut self, about: &str, doubt: &Doubt, evidence: &[u8]) -> Result<Error> {
        let kind = AlarmKind::of(doubt, about == self.me.handle);
        let what = match doubt {
            Doubt::Rewritten => format!("the service gave a rewritten list of {about}'s devices"),
            _ if about.is_empty() => doubt.to_string(),
            _ => format!("about {about}: {doubt}"),
        };
        self.add_alarm(kind, about, &what, evidence)?;
        if kind.stops_the_directory() {
            self.db.set_meta(DISTRUSTED, kind.word().as_bytes())?;
        }
        Ok(match doubt {
            _ if kind.stops_the_directory() => Error::Distrusted { doing: "asking the directory" },
            Doubt::Rewritten => Error::Rewritten { handle: about.to_owned() },
            _ => Error::Unproven { handle: about.to_owned(), why: doubt.to_string() },
        })
    }

    /// Keeps an alarm, and shows it in the conversation with whom it is about. `what` is a sentence without its end.
    pub(super) fn add_alarm(
        &mut self,
        kind: AlarmKind,
        about: &str,
        what: &str,
        evidence: &[u8],
    ) -> Result<()> {
        let mut what = what.to_owned();
        what.get_mut(..1).map(str::make_ascii_uppercase);
        let text = format!("{what}. {}", meaning(kind, about));
        // Each device that was added counts for itself.
        let apart = kind == AlarmKind::Device;
        if !self.db.add_alarm(self.now_ms(), kind.word(), about, &text, evidence, apart)? {
            return Ok(());
        }
        tracing::warn!(kind = kind.word(), event = "directory_alarm");
        let contact = self.db.contact_by_handle(about)?;
        let chats = contact.map(|contact| self.db.direct_with(&contact.account)).transpose()?;
        let conversation = chats.and_then(|chats| Some(chats.first()?.id)).unwrap_or(0);
        self.db.add_item(&NewItem::line(conversation, ItemKind::Gap, &text))?;
        Ok(())
    }
}

/// What an alarm means for the person, in plain words.
fn meaning(kind: AlarmKind, about: &str) -> &'static str {
    match kind {
        AlarmKind::Unproven if about.is_empty() => {
            "Nothing of it was taken. It may be a fault of the service, or somebody who tries to read along."
        }
        AlarmKind::Unproven => {
            "They were not taken, and nothing is sent to them. It may be a fault of the service, or somebody who \
             tries to read along."
        }
        AlarmKind::Handle => "Whoever answers under it now is not who you knew; nothing is sent to them.",
        AlarmKind::Rewritten => {
            "Nothing is sent to new ones. The service, or who controls it, may be trying to read along."
        }
        AlarmKind::Own => {
            "What others are told about your devices is not what you did. They may be writing to somebody else in \
             your place."
        }
        AlarmKind::Device => "If it was not you, act now.",
        AlarmKind::Elsewhere => {
            "Either they made it up, or the service shows one of you a directory of its own, with false devices in it. \
             What you see holds together; only comparing numbers tells whose is true."
        }
        _ => {
            "The directory proves whose devices are whose, so the service, or who controls it, may be showing people \
             false devices. Nothing new is taken from it; the conversations that you have go on."
        }
    }
}

/// What to do about an alarm, in order.
pub(crate) fn steps(kind: AlarmKind, about: &str) -> Vec<String> {
    const PROOF: &str =
        "Keep the proof: `alarms --json` prints what the service signed. Anyone can check it.";
    const OPERATOR: &str = "Ask the operator, by another way than this service, what happened.";
    let owned = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
    match kind {
        AlarmKind::Unproven if about.is_empty() => owned(&["Try again later: a fault passes.", OPERATOR]),
        AlarmKind::Unproven => vec![
            "Try again later: a fault passes.".to_owned(),
            format!(
                "If it stays so, ask {about} by another way, and compare your numbers: `verify {about}`."
            ),
            OPERATOR.to_owned(),
        ],
        AlarmKind::Elsewhere => vec![
            format!("Compare your numbers with them, in person or by a call: `verify {about}`."),
            format!("If they do not agree, write nothing private to {about}."),
            PROOF.to_owned(),
            OPERATOR.to_owned(),
        ],
        AlarmKind::Handle | AlarmKind::Rewritten => vec![
            format!("Write nothing private to {about} until you have spoken to them by another way."),
            format!("Compare your numbers with them: `verify {about}`."),
            PROOF.to_owned(),
            OPERATOR.to_owned(),
        ],
        AlarmKind::Own => vec![
            format!("See what the directory says about you: `directory history {about}`."),
            "Tell the people who matter to you, by another way, to compare numbers with you: `verify`."
                .to_owned(),
            PROOF.to_owned(),
            OPERATOR.to_owned(),
        ],
        AlarmKind::Device => owned(&[
            "If you have just added it yourself, nothing is wrong.",
            "See your devices: `devices`.",
            "Remove the one that is not yours: `devices revoke ID`.",
            "Somebody had a device of yours in hand, or what it keeps: change its lock, and tell the people who \
             matter to you.",
        ]),
        _ => owned(&[
            "Compare numbers with the people who matter to you, in person or by a call: `verify HANDLE`.",
            PROOF,
            OPERATOR,
            "Only when you are satisfied: `directory trust-anew` begins again with what the service shows now.",
        ]),
    }
}

/// What proves an alarm to others, beside our own newest root.
#[derive(Clone, Copy, Default)]
pub(crate) struct Exhibits<'a> {
    /// A root that contradicts ours.
    pub shown: Option<&'a SeenRoot>,
    /// The root of the same epoch that we held, if it is not our newest.
    pub held: Option<&'a SeenRoot>,
    /// The keys that the root which contradicts ours came with.
    pub signers: &'a [SignerLink],
    /// The way down that came with it.
    pub path: &'a [Root],
    /// The answer that gave rise to the alarm, as it came.
    pub answer: &'a [u8],
    /// A promise that was not kept.
    pub promise: Option<&'a SignedPromise>,
}

/// How much of an alarm's evidence is kept at most, bytes: whoever causes alarms shall not fill the disk.
const MAX_EVIDENCE: usize = 256 << 10;

/// Exhibits as JSON (format 1): roots as {epoch, hash, signer, signature}, all else as hexadecimal protobuf. Of what is
/// too long, the answer is cut first, with its whole length beside it; then the way down is left out.
pub(crate) fn evidence(view: Option<&View>, exhibits: Exhibits<'_>) -> Vec<u8> {
    let Exhibits { shown, held, signers, path, answer, promise } = exhibits;
    let seen = |seen: &SeenRoot| {
        json!({
            "epoch": seen.epoch, "hash": hex::encode(seen.hash),
            "signer": seen.signer, "signature": hex::encode(&seen.signature),
        })
    };
    let links = |signers: &[SignerLink]| {
        let link = |link: &SignerLink| json!({ "key": hex::encode(link.key), "endorsement": hex::encode(&link.endorsement) });
        signers.iter().map(link).collect::<Vec<_>>()
    };
    let keys = view.map(|view| view.signers().keys().iter().map(hex::encode).collect::<Vec<_>>());
    let mut evidence = json!({
        "version": 1,
        "domain": view.map(View::domain),
        "keys": keys,
        "ours": view.map(|view| seen(&view.latest().seen())),
        "root": view.map(|view| hex::encode(view.latest().root.to_bytes())),
        "path": path.iter().map(|root| hex::encode(root.to_bytes())).collect::<Vec<_>>(),
        "shown": shown.map(seen),
        "held": held.map(seen),
        "signers": view.map(|view| links(&view.signers().links())),
        "shown_signers": (!signers.is_empty()).then(|| links(signers)),
        "promise": promise.map(|promise| hex::encode(v1::SignedPromise::from(promise).encode_to_vec())),
    });
    if let Some(all) = evidence.as_object_mut() {
        all.retain(|_, value| !value.is_null());
        if evidence_len(all) > MAX_EVIDENCE {
            all.remove("path");
        }
        // Room for the names of what is added here.
        let room = MAX_EVIDENCE.saturating_sub(evidence_len(all) + 100) / 2;
        let kept = &answer[..answer.len().min(room)];
        if !kept.is_empty() {
            all.insert("answer".into(), hex::encode(kept).into());
        }
        if kept.len() < answer.len() {
            all.insert("answer_bytes".into(), answer.len().into());
        }
    }
    evidence.to_string().into_bytes()
}

fn evidence_len(evidence: &serde_json::Map<String, Value>) -> usize {
    serde_json::to_string(evidence).map_or(usize::MAX, |json| json.len())
}
