//! Somebody with the real client and a real profile on disk.

use tempfile::TempDir;
use zegel_client::{AgeBand, Alarm, Client, Line, Registration};
use zegel_identity::SigningKey;

use super::{
    Keys, account_of, device_of,
    wait::{SOON, WAIT, until},
};
use crate::drill::{Failure, Verdict};

/// See the module.
pub struct Person {
    /// Their handle.
    pub handle: String,
    home: TempDir,
    client: Option<Client>,
}

impl Person {
    /// Registers at a URL: the server's, or a proxy's, which the profile then remembers.
    pub async fn registers(handle: &str, url: &str) -> Verdict<Self> {
        Self::registers_as(AgeBand::Adult, handle, url).await
    }

    /// The same, of any age.
    pub async fn registers_as(age: AgeBand, handle: &str, url: &str) -> Verdict<Self> {
        let home = tempfile::Builder::new().prefix("zegel-drill-").tempdir()?;
        let registration = Registration { handle: handle.into(), age, language: "en".into(), invite: None };
        let client = Client::register(home.path(), url, &registration).await?;
        client.caught_up(WAIT).await?;
        Ok(Self { handle: handle.into(), home, client: Some(client) })
    }

    /// Their client.
    pub fn client(&self) -> Verdict<&Client> {
        self.client.as_ref().ok_or_else(|| Failure::NotRun(format!("{} is not connected", self.handle)))
    }

    /// Ends their client.
    pub async fn closes(&mut self) {
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }

    /// Starts their client again.
    pub async fn opens(&mut self) -> Verdict<()> {
        self.client = Some(Client::open(self.home.path()).await?);
        Ok(())
    }

    /// Starts it again and waits until the mailbox is read.
    pub async fn connects(&mut self) -> Verdict<()> {
        self.opens().await?;
        Ok(self.client()?.caught_up(WAIT).await?)
    }

    /// Sends a text, which the service accepts.
    pub async fn sends(&self, text: &str, to: &str) -> Verdict<()> {
        let sent = self.client()?.send(to, text).await;
        sent.map(drop).map_err(|e| Failure::NotRun(format!("{} could not write to {to}: {e}", self.handle)))
    }

    /// Accepts a request that comes.
    pub async fn accepts(&self, name: &str) -> Verdict<()> {
        let here = || self.has_request(name);
        self.must(until(WAIT, here).await, &format!("get a request from {name}"))?;
        self.client()?.accept(name).await?;
        Ok(())
    }

    /// Is in a group, after accepting if that is needed.
    pub async fn joins(&self, group: &str) -> Verdict<()> {
        let open = || {
            let groups = self.client.as_ref().and_then(|client| client.groups().ok()).unwrap_or_default();
            groups.iter().any(|known| known.name == group && known.state == "open")
        };
        self.must(until(WAIT, || open() || self.has_request(group)).await, &format!("get into {group}"))?;
        if !open() {
            self.client()?.accept(group).await?;
        }
        Ok(())
    }

    /// Whether someone's request, or one for a group, waits.
    pub fn has_request(&self, name: &str) -> bool {
        let requests = self.client.as_ref().and_then(|client| client.requests().ok()).unwrap_or_default();
        requests.iter().any(|request| request.from == name || request.group == name)
    }

    /// Everything on their screen.
    pub fn lines(&self) -> Vec<Line> {
        let lines = self.client.as_ref().map(|client| client.read(None, 0, false, false));
        lines.and_then(Result::ok).unwrap_or_default()
    }

    /// How often a message with this text is on their screen.
    pub fn shows(&self, text: &str) -> usize {
        self.lines().iter().filter(|line| line.kind == "message" && line.text == text).count()
    }

    /// Texts of messages with someone, in the order of the screen.
    pub fn said_by(&self, from: &str) -> Vec<String> {
        let lines = self.lines().into_iter().filter(|line| line.kind == "message" && line.from == from);
        lines.map(|line| line.text).collect()
    }

    /// Texts of lines of a kind: `gap`, `hidden`, `notice`.
    pub fn texts(&self, kind: &str) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.kind == kind).map(|line| line.text).collect()
    }

    /// Gaps and hidden messages.
    pub fn alarms(&self) -> Vec<String> {
        let lines = self.lines().into_iter().filter(|line| line.kind == "gap" || line.kind == "hidden");
        lines.map(|line| line.text).collect()
    }

    /// Waits for an honest message.
    pub async fn reads(&self, text: &str) -> Verdict<()> {
        let came = until(WAIT, || self.shows(text) > 0).await;
        self.must(came, &format!("read {text:?}"))
    }

    /// Waits for an honest message after an attack; without it the attack did harm.
    pub async fn still_reads(&self, text: &str) -> Verdict<()> {
        match until(WAIT, || self.shows(text) > 0).await {
            true => Ok(()),
            false => Err(Failure::Succeeded(format!("{} no longer gets honest messages", self.handle))),
        }
    }

    /// Waits for an alarm with exactly this text; without it the attack went unnoticed.
    pub async fn is_alarmed(&self, kind: &str, text: &str) -> Verdict<()> {
        match until(SOON, || self.texts(kind).iter().any(|line| line == text)).await {
            true => Ok(()),
            false => Err(Failure::Succeeded(format!(
                "{} was not told {text:?}, but {:?}",
                self.handle,
                self.alarms()
            ))),
        }
    }

    /// Has the directory looked at now, as happens by itself at each connection and some seconds after a promise.
    pub async fn looks(&self) -> Verdict<()> {
        // What it finds is an alarm, and no error of this.
        let _ = self.client()?.check_directory().await;
        Ok(())
    }

    /// The alarms that were not acknowledged: kind, whom about, text, evidence.
    pub fn directory_alarms(&self) -> Vec<Alarm> {
        self.client.as_ref().and_then(|client| client.alarms(false).ok()).unwrap_or_default()
    }

    /// Waits for an alarm about the directory or somebody in it, and looks again meanwhile; without it the attack went
    /// unnoticed.
    pub async fn raises(&self, kind: &str, about: &str) -> Verdict<Alarm> {
        let begun = std::time::Instant::now();
        loop {
            let alarms = self.directory_alarms();
            if let Some(alarm) = alarms.iter().find(|alarm| alarm.kind == kind && alarm.about == about) {
                return Ok(alarm.clone());
            }
            if begun.elapsed() > SOON {
                let seen: Vec<_> = alarms.iter().map(|alarm| (alarm.kind, &alarm.text)).collect();
                let harm = format!("{} has no alarm {kind:?} about {about:?}, but {seen:?}", self.handle);
                return Err(Failure::Succeeded(harm));
            }
            self.looks().await?;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// They have read all alarms.
    pub fn acknowledges(&self) -> Verdict<()> {
        self.client()?.acknowledge_alarms(i64::MAX)?;
        Ok(())
    }

    /// The same as [`Self::raises`], for an alarm of any kind.
    pub async fn is_warned(&self, about: &str) -> Verdict<Alarm> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < SOON {
            if let Some(alarm) = self.directory_alarms().into_iter().find(|alarm| alarm.about == about) {
                return Ok(alarm);
            }
            self.looks().await?;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(Failure::Succeeded(format!("{} has no alarm about {about:?}", self.handle)))
    }

    /// All that a thief who copies the profile needs to be this device; `friend`: whom they talk with.
    pub fn copied(&self, friend: &str) -> Verdict<Keys> {
        let secrets = self.client()?.rogue_secrets(friend)?;
        let key: [u8; 32] = secrets.get(1).and_then(|key| key.as_slice().try_into().ok()).ok_or("no key")?;
        Ok(Keys {
            account: account_of(self)?,
            device: device_of(self)?,
            key: SigningKey::from_bytes(&key),
            ..Keys::new(&self.handle)
        })
    }

    /// The newest epoch of the directory that their client has seen.
    pub async fn epoch(&self) -> Verdict<u64> {
        self.looks().await?;
        Ok(self.client()?.directory_show(&self.handle).await?.root_epoch)
    }

    fn must(&self, done: bool, what: &str) -> Verdict<()> {
        if done {
            return Ok(());
        }
        let seen: Vec<_> = self.lines().into_iter().map(|line| (line.kind, line.from, line.text)).collect();
        Err(Failure::NotRun(format!("{} did not {what}; on the screen: {seen:?}", self.handle)))
    }
}
