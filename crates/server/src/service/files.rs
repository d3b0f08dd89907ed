//! Sealed files, and shared payloads, which are fetched alike.

use bytes::Bytes;
use tokio::task::spawn_blocking;
use zegel_proto::{BLOB_PART, BlobName, Code, v1};

use super::{Service, Session, refusal::Refusal};
use crate::{blobs::BlobError, clock::Now, store::read};

impl Service {
    pub(super) async fn put_blob(&self, session: &Session, call: v1::PutBlob) -> Result<(), Refusal> {
        let (account, _) = session.member()?;
        let name = BlobName::from_slice(&call.name)?;
        self.limits.blob(account, call.data.len())?;
        // Who knows a payload's name must not put something else in its place.
        if read(&*self.store, move |tx| tx.payload(&name)).await?.is_some() {
            return Err(Refusal::bad_request("this name is in use; make a fresh one"));
        }
        let blobs = self.blobs.clone();
        blocking(move || blobs.put(&name, call.offset, &call.data, call.last, Now::get())).await
    }

    pub(super) async fn get_blob(
        &self,
        session: &Session,
        call: v1::GetBlob,
    ) -> Result<v1::BlobPart, Refusal> {
        let (_, device) = session.member()?;
        self.limits.call(device, 1)?;
        let name = BlobName::from_slice(&call.name)?;
        let Some(payload) = read(&*self.store, move |tx| tx.payload(&name)).await?.map(Bytes::from) else {
            let blobs = self.blobs.clone();
            let text = "there is no such blob; it may have expired, ask its sender to send it again";
            return match blocking(move || blobs.get(&name, call.offset)).await? {
                Some((data, total)) => Ok(v1::BlobPart { data, total }),
                None => Err(Refusal::new(Code::NotFound, text)),
            };
        };
        let total = payload.len();
        let start = usize::try_from(call.offset).unwrap_or(total).min(total);
        let data = payload.slice(start..total.min(start.saturating_add(BLOB_PART)));
        Ok(v1::BlobPart { data, total: total as u64 })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, Refusal> {
    let stopping = |_| Refusal::new(Code::GoingAway, "the server is stopping; connect again");
    Ok(spawn_blocking(work).await.map_err(stopping)??)
}
