//! The service: accounts, introductions, mail, blobs. It carries sealed messages and never opens one.
//!
//! *Invariant:* nothing here can hold or use a conversation's secret: no MLS library is linked, and of a
//! message only the cleartext head is read ([`zegel_proto::read_mls_head`]). Nobody's contacts and no
//! group's members are stored.
//!
//! The rooms: [`store`] keeps rows; [`service`] holds the rules, written once against the store; [`net`] moves
//! frames between sockets and the service; [`admin`] is what operators type.

pub mod admin;
pub mod blobs;
pub mod clock;
pub mod config;
pub mod hub;
pub mod keys;
pub mod net;
pub mod service;
pub mod store;
