//! People with profiles, and what they do and see.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, GroupId, v1};
use zeroize::Zeroizing;

use super::{
    post::{Letter, letter},
    registry::{DOMAIN, Registry, entry},
};
use crate::{
    Result,
    core::{
        Core, Me, NewAccount,
        directory::{Asked, Attested, Exhibits, evidence},
        outbox::Ready,
    },
    db::{Conversation, ConversationState, Db, Item, ItemKind},
};

pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;
pub(super) const CAROL: usize = 2;
/// Knows the others' names and is in none of their conversations.
pub(super) const MALLORY: usize = 3;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

pub(super) fn clock() -> u64 {
    if NOW.get() == 0 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        NOW.set(since.as_millis() as u64);
    }
    NOW.get()
}

/// Lets time pass for every device.
pub(super) fn wait(ms: u64) {
    NOW.set(clock() + ms);
}

/// Opens the profile at a path, as after a restart.
pub(super) fn open(path: &std::path::Path) -> Core {
    let db = Db::open(path, &Zeroizing::new([1; 32])).expect("a profile");
    let me = db.meta("me").expect("meta").expect("an identity");
    Core::new(db, Me::from_bytes(&me).expect("readable"), clock)
}

pub(super) struct Device {
    core: Option<Core>,
    path: PathBuf,
    /// The number of the next entry in their mailbox.
    pub next: u64,
}

/// Everybody, and what the post office remembers.
pub(super) struct World {
    pub devices: Vec<Device>,
    /// The sigchains that the service gives out.
    pub chains: HashMap<AccountId, Vec<SignedLink>>,
    /// The directory that covers them.
    pub registry: Registry,
    pub runtime: tokio::runtime::Runtime,
    /// How many sigchains were fetched because an entry needed them.
    pub fetched: usize,
    pub heads: HashMap<GroupId, (u64, [u8; 32])>,
    said: usize,
    pub folder: TempDir,
}

impl World {
    /// Four people who have looked each other up.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut world = Self {
            registry: runtime.block_on(Registry::new()),
            runtime,
            devices: Vec::new(),
            chains: HashMap::new(),
            fetched: 0,
            heads: HashMap::new(),
            said: 0,
            folder,
        };
        for handle in ["alice", "bob", "carol", "mallory"] {
            let path = world.folder.path().join(handle);
            let db = Db::open(&path, &Zeroizing::new([1; 32])).expect("a profile");
            let new = NewAccount {
                handle: handle.into(),
                app: "zegel".into(),
                domain: DOMAIN.into(),
                server: "http://hostile.example".into(),
            };
            let (me, link) = Me::found(&db, &new, clock()).expect("an account");
            world.chains.insert(me.account, vec![link]);
            let mut core = Core::new(db, me, clock);
            core.step(|core| core.meet_mailbox(1, 1)).expect("a mailbox");
            core.set_own_band(v1::AgeBand::Adult).expect("a band");
            world.devices.push(Device { core: Some(core), path, next: 1 });
        }
        let entries: Vec<_> = world.chains.values().map(|links| entry(links)).collect();
        world.runtime.block_on(world.registry.publish(&entries));
        for who in 0..world.devices.len() {
            for account in world.chains.keys().copied().collect::<Vec<_>>() {
                world.look_up(who, &account);
            }
        }
        world
    }

    pub fn core(&mut self, who: usize) -> &mut Core {
        self.devices[who].core.as_mut().expect("it runs")
    }

    pub fn at(&self, who: usize) -> &Core {
        self.devices[who].core.as_ref().expect("it runs")
    }

    pub fn account(&self, who: usize) -> AccountId {
        self.at(who).me.account
    }

    pub fn chat(&self, who: usize, group: &GroupId) -> Conversation {
        self.at(who).db.conversation_of_group(group).expect("the database").expect("the conversation")
    }

    pub fn state(&self, who: usize, group: &GroupId) -> ConversationState {
        self.chat(who, group).state
    }

    pub fn epoch(&mut self, who: usize, group: &GroupId) -> u64 {
        let core = self.core(who);
        core.groups.get(&core.db, &core.crypto, group).expect("a group").mls.epoch().as_u64()
    }

    /// Ends a device and starts it again over the same profile.
    pub fn restart(&mut self, who: usize) {
        let device = &mut self.devices[who];
        device.core = None;
        device.core = Some(open(&device.path));
    }

    /// Ends a device for good; its profile can be copied.
    pub fn stop(&mut self, who: usize) -> (PathBuf, u64) {
        self.devices[who].core = None;
        (self.devices[who].path.clone(), self.devices[who].next)
    }

    pub fn look_up(&mut self, who: usize, account: &AccountId) {
        let links = self.chains[account].clone();
        self.take_chain(who, account, &links).expect("an honest chain");
    }

    /// A device gets a chain that the directory proves.
    pub fn take_chain(&mut self, who: usize, account: &AccountId, links: &[SignedLink]) -> Result<()> {
        let (label, now) = entry(links);
        if self.runtime.block_on(self.registry.entry_of(&label)) != Some(now) {
            self.runtime.block_on(self.registry.publish(&[(label, now)]));
        }
        let answer = self.runtime.block_on(self.registry.answer(links, None));
        self.meet_directory(who);
        let core = self.core(who);
        let view = core.view()?.expect("a view").clone();
        let attested = Attested::check(&view, &Asked::Account(*account), &answer);
        let taken = match attested {
            Ok(attested) => core.step(|core| core.take_attested(&attested))?,
            Err(doubt) => Err(doubt),
        };
        let handle = core.db.handle_of(&account.0)?.unwrap_or_default();
        match taken {
            Ok(_) => Ok(()),
            Err(doubt) => Err(core.raise(&handle, &doubt, &evidence(Some(&view), Exhibits::default()))?),
        }
    }

    /// A device sees the newest root.
    pub fn meet_directory(&mut self, who: usize) {
        let core = self.devices[who].core.as_mut().expect("it runs");
        let links = self.registry.key.links();
        let seen = core.latest_root().expect("the database").map(|latest| latest.root.epoch);
        let newest = self.registry.newest().clone();
        let epoch = newest.root.epoch;
        match seen {
            None => core.step(|core| core.begin_view(links, newest)).expect("a step").expect("honest"),
            Some(seen) if seen == epoch => {}
            Some(seen) => {
                let answer = self.registry.roots(epoch, Some(seen)).expect("roots");
                let path = answer.path.iter().map(|body| zegel_directory::Root::from_bytes(body));
                let path: Vec<_> = path.collect::<std::result::Result<_, _>>().expect("roots");
                let advanced = core.step(|core| core.advance_view(seen, links, newest, &path));
                assert!(advanced.expect("a step").expect("honest"));
            }
        }
    }

    pub fn packages(&mut self, accounts: &[AccountId]) -> Vec<v1::DeviceKeyPackage> {
        let mut packages = Vec::new();
        for device in &mut self.devices {
            let Some(core) = &mut device.core else { continue };
            if accounts.contains(&core.me.account) {
                let key_package = core.step(|core| core.key_package(false)).expect("keys").key_package;
                let (account, device) = (core.me.account.to_field(), core.me.device.to_field());
                packages.push(v1::DeviceKeyPackage { account, device, key_package });
            }
        }
        packages
    }

    /// Alice founds a group, and everyone she adds accepts.
    pub fn group(&mut self, name: &str, others: &[usize]) -> GroupId {
        let group = self.unaccepted_group(name, others);
        for &who in others {
            let request = self.chat(who, &group);
            self.core(who).accept(&request).expect("accepted");
        }
        group
    }

    pub fn unaccepted_group(&mut self, name: &str, others: &[usize]) -> GroupId {
        let accounts: Vec<_> = others.iter().map(|&who| self.account(who)).collect();
        let packages = self.packages(&accounts);
        self.core(ALICE).found_group(name, &accounts, &packages).expect("founded");
        let group = self.at(ALICE).db.conversations().expect("a list").pop().expect("a group").group;
        self.flush(ALICE);
        group
    }

    /// Two people's chat, accepted.
    pub fn direct(&mut self, from: usize, to: usize) -> GroupId {
        let peer = self.account(to);
        let packages = self.packages(&[peer]);
        self.core(from).found_direct(&peer, &packages, Some("hello"), None).expect("founded");
        let group = self.at(from).db.conversations().expect("a list").pop().expect("a chat").group;
        self.flush(from);
        let request = self.chat(to, &group);
        self.core(to).accept(&request).expect("accepted");
        self.flush(to);
        assert_eq!(self.state(from, &group), ConversationState::Open);
        group
    }

    /// What a device would send now.
    pub fn letters(&mut self, who: usize) -> Vec<Letter> {
        let (mut letters, mut seen) = (Vec::new(), HashSet::new());
        loop {
            let ready = self.core(who).ready(&seen, 100).expect("an outbox");
            if ready.is_empty() {
                return letters;
            }
            for ready in ready {
                seen.insert(ready.row());
                let row = match ready {
                    Ready::Send(row) => *row,
                    Ready::Packages { row, accounts } => {
                        let packages = self.packages(&accounts);
                        let made = self.core(who).make_add(row, &accounts, &packages);
                        made.expect("made").expect("someone to add")
                    }
                    Ready::Readd { row, account } => {
                        self.look_up(who, &account);
                        let Some(row) = self.core(who).make_readd(row).expect("made") else { continue };
                        row
                    }
                };
                letters.push(letter(who, &row.submit));
            }
        }
    }

    pub fn flush(&mut self, who: usize) {
        loop {
            let letters = self.letters(who);
            if letters.is_empty() {
                return;
            }
            letters.iter().for_each(|letter| self.deliver(letter));
        }
    }

    /// A text, encrypted and not sent.
    pub fn write(&mut self, who: usize, group: &GroupId, text: &str) -> Letter {
        self.flush(who);
        let chat = self.chat(who, group);
        self.core(who).say(&chat, text).expect("said");
        self.letters(who).pop().expect("a letter")
    }

    pub fn items(&self, who: usize) -> Vec<Item> {
        self.at(who).db.items(None, 0, false).expect("items")
    }

    /// The lines of a kind on someone's screen.
    pub fn lines(&self, who: usize, kind: ItemKind) -> Vec<String> {
        self.items(who).into_iter().filter(|item| item.kind == kind).map(|item| item.text).collect()
    }

    pub fn shows(&self, who: usize, text: &str) -> bool {
        self.items(who).iter().any(|item| item.text.contains(text))
    }

    /// Each of these people is heard by all the others.
    pub fn assert_talk(&mut self, group: &GroupId, people: &[usize]) {
        for &who in people {
            self.said += 1;
            let text = format!("text number {} of {who}", self.said);
            let letter = self.write(who, group, &text);
            self.deliver(&letter);
            for &other in people {
                let seen = self.lines(other, ItemKind::Text).iter().filter(|line| **line == text).count();
                assert_eq!(seen, 1, "{other} hears {who}: {:?}", self.lines(other, ItemKind::Hidden));
            }
        }
    }
}
