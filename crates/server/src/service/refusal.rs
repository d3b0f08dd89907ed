//! A refusal: a stable code, and a text that says what was being done and what to try.

use std::borrow::Cow;

use zegel_proto::{Code, IdError, v1};

use crate::{blobs::BlobError, store::StoreError};

/// Why a call was refused. Nothing was changed.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    code: Code,
    text: Cow<'static, str>,
    head_epoch: u64,
    retry_after_ms: u64,
}

impl Refusal {
    pub(super) fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), head_epoch: 0, retry_after_ms: 0 }
    }
    pub(super) fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadRequest, text)
    }
    pub(super) fn bad_message(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadMessage, text)
    }
    pub(super) fn stale_epoch(head_epoch: u64) -> Self {
        let text = "the conversation is at another epoch; process your mail, then encrypt and send again";
        Self { head_epoch, ..Self::new(Code::StaleEpoch, text) }
    }
    /// Logged where it came about.
    pub(super) fn internal() -> Self {
        Self::new(Code::Internal, "the server could not read or write; try again later")
    }
    /// The same in other words.
    pub(super) fn saying(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), ..self }
    }
    pub(super) fn rate_limited(retry_after_ms: u64) -> Self {
        Self { retry_after_ms, ..Self::new(Code::RateLimited, "too much at once; wait and try again") }
    }
}

impl From<Refusal> for v1::Error {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code as u32,
            message: refusal.text.into_owned(),
            head_epoch: refusal.head_epoch,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Full => full(),
            StoreError::Closed => Self::new(Code::GoingAway, "the server is stopping; connect again"),
            _ => Self::internal(),
        }
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        match &error {
            BlobError::TooLarge => Self::new(Code::TooLarge, error.to_string()),
            BlobError::Order(_) => Self::bad_request(error.to_string()),
            BlobError::Io(_) => {
                tracing::error!(%error, "the blob folder failed");
                match error.is_full() {
                    true => full(),
                    false => Self::internal(),
                }
            }
        }
    }
}

fn full() -> Refusal {
    Refusal::new(Code::StorageFull, "the server's disk is full; nothing was changed, try again later")
}
