//! What a receiver checks before it shows anything. The server cannot compare a tag with the content, so a
//! sender could otherwise attach the tag of one message to another and make it impossible to report.

use crate::context::Context;
use crate::hash::sha256;
use crate::tag::{ZERO_TAG, verify_tag};

/// What the receiver knows by itself about a message, from MLS and not from the server.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The conversation that the message was opened in.
    pub room: &'a [u8; 32],
    /// The epoch that it was opened in.
    pub epoch: u64,
    /// The account in the sender's leaf. That the content's `sender_uri` is this account's is for the caller
    /// to check.
    pub account: &'a [u8; 16],
    /// The device in the sender's leaf.
    pub device: &'a [u8; 16],
    /// The ciphertext as it arrived.
    pub ciphertext: &'a [u8],
}

/// Why a message is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The tag does not commit to the content, or a commit carries one.
    #[error("the franking tag is not that of the content")]
    Tag,
    /// The server names another sender than the leaf.
    #[error("the stamp names another sender")]
    Sender,
    /// The server names another conversation.
    #[error("the stamp names another conversation")]
    Room,
    /// The server names another epoch.
    #[error("the stamp names another epoch")]
    Epoch,
    /// The server stamped another ciphertext.
    #[error("the stamp is for another ciphertext")]
    Ciphertext,
}

/// Checks an application message. `application_data` are the content's bytes as they were opened, and `salt`
/// is the one that they hold.
pub fn check_received(
    context: &Context,
    expected: &Expected<'_>,
    salt: &[u8; 16],
    application_data: &[u8],
) -> Result<(), Mismatch> {
    check_carried(context, expected)?;
    ensure(verify_tag(salt, application_data, &context.franking_tag), Mismatch::Tag)
}

/// Checks a commit, which has no content and so no tag.
pub fn check_commit(context: &Context, expected: &Expected<'_>) -> Result<(), Mismatch> {
    check_carried(context, expected)?;
    ensure(context.franking_tag == ZERO_TAG, Mismatch::Tag)
}

fn check_carried(context: &Context, expected: &Expected<'_>) -> Result<(), Mismatch> {
    ensure(&context.room == expected.room, Mismatch::Room)?;
    ensure(context.epoch == expected.epoch, Mismatch::Epoch)?;
    let sender = &context.sender_account == expected.account && &context.sender_device == expected.device;
    ensure(sender, Mismatch::Sender)?;
    ensure(context.message_hash == sha256(expected.ciphertext), Mismatch::Ciphertext)
}

fn ensure(holds: bool, mismatch: Mismatch) -> Result<(), Mismatch> {
    if holds { Ok(()) } else { Err(mismatch) }
}
