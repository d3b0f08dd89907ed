//! The contract between client and server: protocol messages, ids, URIs, versions and limits.
//!
//! *Invariant:* no I/O and no secrets. Everything that both sides must compute alike (tags, the head of an
//! MLS message, padding) is computed here, once.

#![allow(missing_docs, reason = "the generated messages are documented in proto/zegel/v1")]

mod band;
mod code;
mod ids;
mod mls_head;
mod pad;
mod tags;
mod uri;

/// The protobuf messages of `proto/zegel/v1`.
pub mod v1 {
    #![allow(clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/zegel.v1.rs"));
}

pub use code::Code;
pub use ids::{AccountId, Address, BlobName, DeviceId, GroupId, IdError, RoomId, SubmissionId, Token};
pub use mls_head::{HeadError, Kind, MlsHead, read_mls_head};
pub use pad::{PAD_STEP, padding_for};
pub use prost::Message;
pub use tags::{address_hash, address_tag, room_of, token_hash};
pub use uri::{HandleError, check_handle, room_uri, user_uri};

/// HPKE info of a mailbox's hour key.
pub const HOUR_KEY_INFO: &[u8] = b"zegel hour key";
/// The protocol version that this build speaks; `Hello` lists what a client knows.
pub const VERSION: u32 = 1;
/// The largest frame either side accepts, in bytes.
pub const MAX_FRAME: usize = 4 << 20;
/// The most addresses one submission may name.
pub const MAX_ADDRESSES: usize = 4096;
/// The most members one commit may add (DESIGN.md section 5, "Large groups").
pub const MAX_ADDS: usize = 256;
/// The most accounts one `FetchKeyPackages` may name.
pub const MAX_FETCH: usize = 64;
/// A message to this many addresses, or above [`SHARED_BYTES`], is stored once and referred to.
pub const SHARED_ADDRESSES: usize = 32;
/// See [`SHARED_ADDRESSES`]; bytes.
pub const SHARED_BYTES: usize = 64 << 10;
/// The largest part of a blob in one frame, in bytes.
pub const BLOB_PART: usize = 256 << 10;
/// The largest blob, in bytes.
pub const MAX_BLOB: u64 = 64 << 20;
/// One-time key packages that a device keeps in stock at the server.
pub const KEY_PACKAGE_STOCK: u32 = 20;
/// The largest single key package, in bytes.
pub const MAX_KEY_PACKAGE: usize = 16 << 10;
