//! Strangers before doors: accounts whose owners have no client, only what the service delivers to them.

use zegel_proto::{
    AccountId, Address, GroupId, SubmissionId, Token, token_hash,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};

use crate::{
    drill::{Failure, Verdict, carried_out},
    kit::{Keys, Stage, Stranger, code_of, hollow_message},
};

/// Everybody who is or may be a minor.
pub const MINORS: [AgeBand; 3] = [AgeBand::Child, AgeBand::Teen, AgeBand::Unknown];
/// Entries that an introduction brings: itself, and the first message.
const ENTRIES: u64 = 2;

/// Somebody whom others come to, and whose mail is counted.
pub struct Door {
    /// Their account.
    pub keys: Keys,
    /// Their connection.
    pub wire: Stranger,
    server: String,
    at: Vec<Address>,
    seen: u64,
}

impl Door {
    /// Registers, with twenty keys in stock.
    pub async fn of(stage: &Stage, handle: &str, age_band: AgeBand) -> Verdict<Self> {
        let keys = Keys { age_band, ..Keys::new(handle) };
        let wire = Stranger::member(stage.address(), &keys).await?;
        let server = stage.address().to_owned();
        let mut door = Self { keys, wire, server, at: Vec::new(), seen: 0 };
        door.stocks().await?;
        door.seen = door.next_entry().await?;
        Ok(door)
    }

    async fn stocks(&mut self) -> Verdict<()> {
        let fresh: Vec<Address> = (0..zegel_proto::KEY_PACKAGE_STOCK).map(|_| Address::random()).collect();
        self.wire.publish(fresh.iter().map(|at| (vec![0; 100], *at)).collect()).await?;
        self.at.extend(fresh);
        Ok(())
    }

    /// An address that nobody came to yet.
    pub async fn address(&mut self) -> Verdict<Address> {
        if self.at.is_empty() {
            self.stocks().await?;
        }
        Ok(self.at.pop().ok_or("no address is left")?)
    }

    /// A contact code of theirs.
    pub async fn code(&mut self) -> Verdict<Token> {
        let token = Token::random();
        let token_hashes = vec![token_hash(&token.0).to_vec().into()];
        self.does(ask::Body::PutToken(v1::PutToken { token_hashes, connection: false })).await?;
        Ok(token)
    }

    /// Blocks whoever has this account, or takes that back.
    pub async fn blocks(&mut self, whom: &AccountId, lift: bool) -> Verdict<()> {
        self.does(ask::Body::Block(v1::Block { account: whom.to_field(), lift })).await
    }

    /// Declines what came to an address, as that account's.
    pub async fn declines(&mut self, at: Address, whose: &AccountId) -> Verdict<()> {
        let addresses = vec![at.to_field()];
        let declined = whose.to_field();
        self.does(ask::Body::DeleteAddresses(v1::DeleteAddresses { addresses, declined })).await
    }

    async fn does(&mut self, body: ask::Body) -> Verdict<()> {
        match self.wire.call(body).await? {
            tell::Body::Done(_) => Ok(()),
            other => Err(Failure::NotRun(format!("{} was answered {other:?}", self.keys.handle))),
        }
    }

    /// How many introductions were delivered since this was last asked.
    pub async fn came(&mut self) -> Verdict<u64> {
        let (before, now) = (self.seen, self.next_entry().await?);
        self.seen = now;
        Ok((now - before) / ENTRIES)
    }

    /// What the mailbox's next entry will be numbered, as each new connection is told.
    async fn next_entry(&mut self) -> Verdict<u64> {
        let (wire, answer) = enter(&self.server, &self.keys).await?;
        self.wire = wire;
        Ok(answer.next_seq)
    }
}

/// Connects with an account that is there, and what that is told.
pub async fn enter(server: &str, keys: &Keys) -> Verdict<(Stranger, v1::Authenticated)> {
    let mut wire = Stranger::connect(server).await?;
    match wire.authenticate(keys).await? {
        tell::Body::Authenticated(answer) => Ok((wire, answer)),
        other => Err(Failure::NotRun(format!("{} could not connect: {other:?}", keys.handle))),
    }
}

/// A conversation is founded with whoever has these addresses, and shows each a token or none.
pub fn introduction(to: &[(Address, Option<Token>)]) -> v1::Submit {
    let group = GroupId::random();
    let tag = [&[35, 0, 0x20, 32][..], &[7; 32]].concat();
    let newcomer = |(at, token): &(Address, Option<Token>)| v1::Newcomer {
        address: at.to_field(),
        token: token.map(Token::to_field).unwrap_or_default(),
    };
    v1::Submit {
        submission_id: SubmissionId::random().to_field(),
        group_id: group.to_field(),
        token: vec![0; 32].into(),
        message: hollow_message(&group, 0, 3, &[0]).into(),
        next_token_hash: token_hash(&group.0).to_vec().into(),
        first: hollow_message(&group, 1, 1, &tag).into(),
        welcome: Some(v1::WelcomeOut {
            welcome: vec![0; 1000].into(),
            newcomers: to.iter().map(newcomer).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Somebody introduces themself so.
pub async fn introduces(by: &mut Stranger, to: &[(Address, Option<Token>)]) -> Verdict<tell::Body> {
    by.call(ask::Body::Submit(introduction(to))).await
}

/// The same to one person, which the service must take, whatever becomes of it.
pub async fn comes(by: &mut Stranger, to: &mut Door, token: Option<Token>) -> Verdict<()> {
    let at = to.address().await?;
    let answer = introduces(by, &[(at, token)]).await?;
    carried_out(code_of(&answer).is_none(), format!("an introduction to {}: {answer:?}", to.keys.handle))
}

/// An invite that the operator makes.
pub fn invite(stage: &Stage, words: &[&str]) -> Verdict<String> {
    Ok(stage.server(|server| server.operator(&[&["invite"], words].concat()))?)
}
