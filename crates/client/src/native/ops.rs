//! What a person does with their client.

use std::{path::Path, time::Duration};

use serde::{Serialize, Serializer};
use zegel_proto::{
    AccountId, Code, Token, token_hash,
    v1::{self, AgeBand, client_frame::Body as Call, server_frame::Body as Answer},
};
use zegel_safety::{Language, band_word};

use super::client::Client;
use crate::{
    Error, Result,
    core::Said,
    db::{Contact, Conversation, ConversationState, Item, ItemKind, ItemState, Kind, OutboxState},
    flow::{Link, fetch_packages, fetch_reports, fetch_statements, know_handle, unexpected},
    view::{Line, Statement},
};

/// How long an operation waits for the service.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection is waited for before something is sent.
const CONNECTING: Duration = Duration::from_secs(15);
/// How long a message that may wait in the outbox waits for a connection first.
const BRIEFLY: Duration = Duration::from_millis(500);

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Me {
    /// Public name.
    pub handle: String,
    /// `mimi://DOMAIN/u/HANDLE`
    pub uri: String,
    /// Account id, hexadecimal.
    pub account: String,
    /// Device id, hexadecimal.
    pub device: String,
    /// The server's URL.
    pub server: String,
    /// How our entry stands in the key directory, as far as we know: `proven`, `promised` or `unknown`.
    pub directory: &'static str,
    /// The age band that the service keeps; written as `child`, `teen`, `adult` or `unknown`.
    #[serde(serialize_with = "as_word")]
    pub age: AgeBand,
    /// The guardian's handle; empty for none.
    pub guardian: String,
}

fn as_word<S: Serializer>(band: &AgeBand, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(band_word(*band, Language::English))
}

impl Client {
    /// Who we are.
    pub fn whoami(&self) -> Me {
        let core = self.engine.shared.core();
        Me {
            handle: core.me.handle.clone(),
            uri: zegel_proto::user_uri(&core.me.domain, &core.me.handle),
            account: core.me.account.to_hex(),
            device: core.me.device.to_hex(),
            server: core.me.server.clone(),
            directory: core.own().map_or("unknown", |own| own.trust.word()),
            age: core.own_band().unwrap_or_default(),
            guardian: core.guardian().unwrap_or_default(),
        }
    }

    /// Reads all that waits and sends all that can be sent.
    pub async fn sync(&self, patience: Duration) -> Result<()> {
        self.caught_up(patience).await?;
        self.engine.stock.notify_one();
        self.engine.poke.notify_one();
        let settled = || self.engine.shared.core().settled();
        self.wait_for("sending what waits", patience, settled).await
    }

    /// Sends a text to a person or a group; returns the message id once the service has accepted it. To someone
    /// new this is an introduction.
    pub async fn send(&self, to: &str, text: &str) -> Result<String> {
        let (said, online) = self.queue(to, text, CONNECTING).await?;
        if let Err(error) = online {
            return Err(Error::Offline(format!("{error}. The message is kept and goes out later")));
        }
        self.accepted("sending a message", &[said.outbox]).await?;
        Ok(hex::encode(said.id))
    }

    /// Like [`Client::send`], but returns once the message is in the profile's outbox.
    pub async fn send_later(&self, to: &str, text: &str) -> Result<String> {
        Ok(hex::encode(self.queue(to, text, BRIEFLY).await?.0.id))
    }

    async fn queue(&self, to: &str, text: &str, patience: Duration) -> Result<(Said, Result<()>)> {
        // What has come in meanwhile decides which conversation it is. Without a connection an open one still serves.
        let online = self.caught_up(patience).await;
        // What is said now shall not go out by surprise when a suspension ends.
        if let Err(error @ Error::Refused { code: Code::Suspended, .. }) = online {
            return Err(error);
        }
        if let Some(conversation) = self.writable(to)? {
            let said = self.engine.shared.core().say(&conversation, text)?;
            self.poke();
            return Ok((said, online));
        }
        online?;
        Ok((self.introduce(to, Some(text), None).await?, Ok(())))
    }

    pub(super) fn poke(&self) {
        self.engine.bump();
        self.engine.poke.notify_one();
    }

    /// The open conversation that a name means, if there is one.
    fn writable(&self, to: &str) -> Result<Option<Conversation>> {
        let doing = "sending a message";
        let core = self.engine.shared.core();
        let mut groups = core.db.groups_named(to)?;
        groups.retain(|group| group.state == ConversationState::Open);
        let contact = core.db.contact_by_handle(to)?;
        // Others name groups: such a name must never lead a message astray.
        if groups.len() + usize::from(contact.is_some()) > 1 {
            let why = format!("more than one conversation is called {to}");
            return Err(Error::usage(doing, why, "`group list`, then `group leave` or `group rename`"));
        }
        if let Some(group) = groups.pop() {
            return Ok(Some(group));
        }
        let Some(contact) = contact else { return Ok(None) };
        if contact.blocked {
            return Err(Error::usage(doing, format!("you blocked {to}"), format!("`unblock {to}` first")));
        }
        let chat = core.direct_chat(&contact.account)?;
        // A code that was used before reached nobody; somebody vouched for us since.
        if let Some(chat) = &chat
            && core.is_unheard(chat)?
            && core.holds_token_of(&contact.account)?
        {
            return Ok(None);
        }
        match chat {
            Some(chat) if chat.state == ConversationState::Open => Ok(Some(chat)),
            Some(chat) if chat.state == ConversationState::Request => {
                let why = format!("{to} introduced themself to you and waits");
                Err(Error::usage(doing, why, format!("`accept {to}` first")))
            }
            // Somebody vouched for us since: we may introduce ourselves anew.
            Some(_) if core.holds_token_of(&contact.account)? => Ok(None),
            Some(_) => {
                let why = format!(
                    "{to} has not answered your introduction yet; until then it stays at one message"
                );
                Err(Error::usage(doing, why, "later"))
            }
            None => Ok(None),
        }
    }

    async fn introduce(&self, to: &str, text: Option<&str>, token: Option<&Token>) -> Result<Said> {
        let doing = "beginning a conversation";
        let socket = self.connected(PATIENCE).await?;
        let own = self.engine.shared.core().me.handle == to;
        if own {
            return Err(Error::usage(doing, "that is you", "someone else's handle"));
        }
        let chain = know_handle(&self.engine.shared, &*socket, to).await.map_err(|error| match error {
            Error::Refused { code: Code::NotFound, .. } => {
                Error::usage(doing, format!("there is no {to} here"), "another handle, or `group list`")
            }
            other => other,
        })?;
        let peer = chain.account();
        if self.engine.shared.core().db.is_ended(&peer)? {
            return Err(Error::usage(doing, format!("{to} deleted their account"), "another handle"));
        }
        self.may_meet(&[peer]).await?;
        let packages = fetch_packages(&self.engine.shared, &*socket, &[peer]).await?;
        let said = self.engine.shared.core().found_direct(&peer, &packages, text, token)?;
        self.poke();
        Ok(said)
    }

    /// Whether we may write to, connect with or add these people; a child's guardian is asked first.
    pub(super) async fn may_meet(&self, people: &[AccountId]) -> Result<()> {
        self.look_for_guardian().await;
        let (mut guardian, mut names) = (String::new(), Vec::new());
        {
            let mut core = self.engine.shared.core();
            for who in people {
                if let Some(asked) = core.step(|core| core.ask_to_meet(who))? {
                    guardian = asked;
                    names.push(core.name_of(who)?);
                }
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        self.poke();
        // Whoever gives one command ends with it; what has not gone out by then goes with the next.
        let _ = self.sync(CONNECTING).await;
        let why =
            format!("{guardian}, your guardian, has to allow {} first, and is asked now", names.join(", "));
        Err(Error::usage("meeting somebody new", why, "the same again once they allowed it"))
    }

    /// Waits until the service has accepted these outbox rows.
    pub(super) async fn accepted(&self, doing: &'static str, rows: &[i64]) -> Result<()> {
        let done = || {
            let mut failures = self.engine.failures.lock().expect("no panic holds this lock");
            for row in rows {
                if let Some(error) = failures.remove(row) {
                    return Err(error);
                }
                let row = self.engine.shared.core().db.outbox_row(*row)?;
                if row.is_some_and(|row| row.state != OutboxState::Accepted) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        self.wait_for(doing, PATIENCE, done).await
    }

    async fn wait_for(
        &self,
        doing: &'static str,
        patience: Duration,
        done: impl Fn() -> Result<bool>,
    ) -> Result<()> {
        let mut changes = self.changes();
        let waiting = async {
            while !done()? {
                // Bounded: some of what is waited for changes without a signal.
                let _ = tokio::time::timeout(Duration::from_millis(500), changes.changed()).await;
            }
            Ok(())
        };
        let timeout = Error::Timeout { doing, seconds: patience.as_secs() };
        tokio::time::timeout(patience, waiting).await.unwrap_or(Err(timeout))
    }

    pub(super) async fn person(&self, handle: &str) -> Result<Contact> {
        let known = self.engine.shared.core().db.contact_by_handle(handle)?;
        if let Some(contact) = known {
            return Ok(contact);
        }
        let socket = self.connected(PATIENCE).await?;
        let chain = know_handle(&self.engine.shared, &*socket, handle).await?;
        let contact = self.engine.shared.core().db.contact(&chain.account())?;
        contact.ok_or_else(|| {
            Error::usage("looking up a person", format!("there is no {handle}"), "another handle")
        })
    }

    /// Blocks a person: their introductions are dropped unseen, and direct chats with them end.
    pub async fn block(&self, handle: &str) -> Result<()> {
        self.caught_up(PATIENCE).await?;
        let contact = self.person(handle).await?;
        self.say_goodbye(&contact.account).await;
        self.engine.shared.core().block(&contact)?;
        self.poke();
        self.sync(PATIENCE).await
    }

    /// Lifts a block. A chat with them begins anew.
    pub async fn unblock(&self, handle: &str) -> Result<()> {
        let contact = self.person(handle).await?;
        if !contact.blocked {
            let why = format!("you did not block {handle}");
            return Err(Error::usage("lifting a block", why, "the name that you blocked them under"));
        }
        self.engine.shared.core().unblock(&contact)?;
        self.poke();
        self.sync(PATIENCE).await
    }

    /// A contact code of ours, to give to one person; it is used once.
    pub async fn code(&self) -> Result<String> {
        let token = Token::random();
        let socket = self.connected(PATIENCE).await?;
        let put =
            v1::PutToken { token_hashes: vec![token_hash(&token.0).to_vec().into()], connection: false };
        socket.call("making a contact code", Call::PutToken(put)).await?;
        let core = self.engine.shared.core();
        core.db.add_code(&token, core.now_ms())?;
        Ok(format!("zegel:{}:{}", core.me.handle, token.to_hex()))
    }

    /// Connects with the person whose contact code this is; both can write at once. Returns their handle.
    pub async fn connect(&self, code: &str) -> Result<String> {
        let doing = "connecting by a contact code";
        let form = || Error::usage(doing, "this is no contact code", "the whole line that `code` printed");
        let mut parts = code.trim().strip_prefix("zegel:").ok_or_else(form)?.split(':');
        let (Some(handle), Some(token), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form());
        };
        let token = hex::decode(token).ok().and_then(|t| Token::from_slice(&t).ok()).ok_or_else(form)?;
        self.caught_up(PATIENCE).await?;
        let said = self.introduce(handle, None, Some(&token)).await?;
        self.accepted(doing, &[said.outbox]).await?;
        Ok(handle.to_owned())
    }

    /// Lines after local number `after`, with a person or group or with all; marks them read if `mark`.
    pub fn read(&self, with: Option<&str>, after: i64, only_new: bool, mark: bool) -> Result<Vec<Line>> {
        let mut core = self.engine.shared.core();
        let only = match with {
            None => None,
            Some(name) => Some(names(&core.db, name)?),
        };
        let mut lines = Vec::new();
        let mut shown = Vec::new();
        for item in core.db.items(None, after, only_new)? {
            if only.as_ref().is_some_and(|only| !only.contains(&item.conversation)) {
                continue;
            }
            let conversation = core.db.conversation(item.conversation)?;
            let hidden = [ConversationState::Request, ConversationState::Declined];
            if conversation.as_ref().is_some_and(|c| hidden.contains(&c.state)) {
                continue;
            }
            shown.push(item.id);
            lines.push(line(&core.db, conversation.as_ref(), &core.me.account, item)?);
        }
        if mark && !shown.is_empty() {
            core.step(|core| core.db.mark_read(&shown))?;
        }
        Ok(lines)
    }

    /// All that is ours, as JSON lines: identity, contacts, groups, messages with their proof, reports, statements of
    /// the service as it signed them, and what the service holds about us if it can be reached.
    pub async fn export(&self) -> Result<Vec<serde_json::Value>> {
        let mut lines = vec![serde_json::json!({"kind": "account", "me": self.whoami()})];
        if let Ok(socket) = self.errand(Duration::from_secs(5)).await {
            let doing = "asking what the service holds";
            match socket.call(doing, Call::FetchHolding(v1::FetchHolding {})).await? {
                Answer::Holding(holding) => {
                    let held: serde_json::Value = serde_json::from_str(&holding.json).unwrap_or_default();
                    lines.push(serde_json::json!({"kind": "held by the service", "holding": held}));
                }
                _ => return unexpected(doing),
            }
            fetch_reports(&self.engine.shared, &*socket).await?;
            fetch_statements(&self.engine.shared, &*socket).await?;
        }
        for contact in self.engine.shared.core().db.contacts()? {
            let devices = contact.chain.devices().count();
            let (blocked, accepted) = (contact.blocked, contact.accepted);
            lines.push(serde_json::json!({
                "kind": "contact", "handle": contact.handle, "account": contact.account.to_hex(),
                "devices": devices, "accepted": accepted, "blocked": blocked,
            }));
        }
        for group in self.groups()? {
            lines.push(serde_json::json!({"kind": "group", "group": group}));
        }
        for link in self.guardians()? {
            lines.push(serde_json::json!({"kind": "guardian", "link": link}));
        }
        for line in self.read(None, 0, false, false)? {
            let proof = self.engine.shared.core().db.proof(line.line)?;
            let (content, context, stamp) = proof;
            lines.push(serde_json::json!({
                "kind": "line", "line": line, "content": hex::encode(content),
                "context": hex::encode(context), "stamp": hex::encode(stamp),
            }));
        }
        for report in self.known_reports()?.into_iter().chain(self.kept_reports()?) {
            lines.push(serde_json::json!({"kind": "report", "report": report}));
        }
        for (row, statement) in self.engine.shared.core().stated()? {
            lines.push(serde_json::json!({
                "kind": "statement", "statement": Statement::from(statement), "body": hex::encode(row.body),
                "signer": row.signer, "signature": hex::encode(row.signature),
            }));
        }
        Ok(lines)
    }

    /// Deletes the account at the service, then the profile on this device.
    pub async fn delete_account(self, handle: &str) -> Result<()> {
        let doing = "deleting the account";
        let own = self.whoami().handle;
        if own != handle {
            return Err(Error::usage(
                doing,
                format!("this profile's handle is {own}"),
                "that handle, to confirm",
            ));
        }
        let socket = self.errand(PATIENCE).await?;
        socket.call(doing, Call::DeleteAccount(v1::DeleteAccount { handle: own })).await?;
        drop(socket);
        self.erase().await
    }
}

/// The conversations that a name means: a group, or all direct chats with a person.
fn names(db: &crate::db::Db, name: &str) -> Result<Vec<i64>> {
    let mut found: Vec<i64> = db.groups_named(name)?.iter().map(|group| group.id).collect();
    if let Some(contact) = db.contact_by_handle(name)? {
        found.extend(db.direct_with(&contact.account)?.iter().map(|chat| chat.id));
    }
    match found.is_empty() {
        true => Err(Error::usage(
            "reading",
            format!("there is no conversation with {name}"),
            "`read` without a name",
        )),
        false => Ok(found),
    }
}

fn line(db: &crate::db::Db, conversation: Option<&Conversation>, me: &AccountId, item: Item) -> Result<Line> {
    let name = match conversation {
        Some(c) if c.kind == Kind::Group => c.name.clone(),
        Some(c) => c.peer.map(|who| db.handle_of(&who.0)).transpose()?.flatten().unwrap_or_default(),
        None => String::new(),
    };
    let own = item.sender == me.0;
    Ok(Line {
        line: item.id,
        kind: match item.kind {
            ItemKind::Text => "message",
            ItemKind::Gap => "gap",
            ItemKind::Notice => "notice",
            ItemKind::Hidden => "hidden",
            ItemKind::Unsupported => "unsupported",
            ItemKind::Service => "service",
        },
        id: item.message_id.map(hex::encode).unwrap_or_default(),
        conversation: name,
        from: db.handle_of(&item.sender)?.unwrap_or_default(),
        text: item.text,
        sent_at: item.sent_ms,
        accepted_at: item.accepted_ms,
        seq: item.seq,
        state: match item.state {
            ItemState::Received => "received",
            ItemState::Pending => "pending",
            ItemState::Accepted => "accepted",
            ItemState::Failed => "failed",
        },
        trust: match () {
            () if item.sender.is_empty() => "",
            () if own => "own",
            () => db.trust_of(&item.sender)?,
        },
    })
}

/// The platform's folder for profiles, or `ZEGEL_HOME`.
pub fn default_home() -> Option<std::path::PathBuf> {
    let from = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let home = |rest: &str| from("HOME").map(|home| home.join(rest));
    from("ZEGEL_HOME")
        .or_else(|| from("XDG_DATA_HOME").map(|data| data.join("zegel")))
        .or_else(|| home(".local/share/zegel"))
        .filter(|path: &std::path::PathBuf| path != Path::new(""))
}
