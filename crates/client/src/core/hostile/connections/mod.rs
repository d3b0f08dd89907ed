//! Connection tokens: who may come with one, and what others make of them.

mod given;
mod used;

use zegel_content::{Content, TOKENS_TYPE, Tokens};
use zegel_proto::{Code, GroupId, Message as _, Token, token_hash, v1};

use super::{
    office::refusal,
    post::Letter,
    world::{ALICE, BOB, CAROL, MALLORY, World, wait},
};
use crate::{
    Result,
    db::{ConversationState, Intent, ItemKind, OutboxState},
    flow::{Link, Shared, send_calls},
};

const DAY_MS: u64 = 86_400_000;

impl World {
    /// The service takes the small calls of a device: hashes of the tokens that were left there.
    pub fn calls(&mut self, who: usize) -> Vec<[u8; 32]> {
        let mut left = Vec::new();
        while let Some((id, body)) = self.at(who).db.next_call().expect("the database") {
            if let v1::client_frame::Body::PutToken(put) = body {
                assert!(put.connection, "a friend's, no contact code");
                let hash = |hash: &bytes::Bytes| <[u8; 32]>::try_from(hash.as_ref()).expect("a hash");
                left.extend(put.token_hashes.iter().map(hash));
            }
            self.at(who).db.call_done(id).expect("the database");
        }
        left
    }

    /// Two people who talk and hold each other's tokens.
    pub fn befriend(&mut self, from: usize, to: usize) -> GroupId {
        let group = self.direct(from, to);
        for who in [to, from] {
            self.calls(who);
            self.flush(who);
        }
        group
    }

    /// How many tokens of `owner` somebody holds.
    pub fn held(&self, who: usize, owner: usize) -> u32 {
        let (owner, core) = (self.account(owner), self.at(who));
        let sql = "SELECT count(*) FROM friend_token WHERE owner = ?";
        core.db.conn().query_row(sql, [owner.0.as_slice()], |row| row.get(0)).expect("a count")
    }

    fn given(&self, who: usize, friend: usize) -> u32 {
        self.at(who).db.given_count(&self.account(friend), self.at(who).today()).expect("the database")
    }

    /// A fresh direct chat's founding letter, with a text.
    fn introduction_to(&mut self, from: usize, to: usize) -> Letter {
        let peer = self.account(to);
        let packages = self.packages(&[peer]);
        self.core(from).found_direct(&peer, &packages, Some("hello"), None).expect("founded");
        self.letters(from).pop().expect("a letter")
    }

    /// Any tokens, said in a chat as an honest member would.
    fn say_tokens(&mut self, who: usize, group: &GroupId, tokens: &Tokens) {
        self.flush(who);
        let chat = self.chat(who, group);
        let content = self.core(who).silent_content(&chat, TOKENS_TYPE, tokens.encode().expect("tokens"));
        let bytes = content.expect("content");
        let salt = Content::decode(&bytes).expect("content").salt;
        let letter = self.frame(who, group, &salt, &bytes);
        self.deliver(&letter);
    }
}

fn token_in(letter: &Letter) -> Vec<u8> {
    letter.submit.welcome.as_ref().expect("a Welcome").newcomers[0].token.to_vec()
}
