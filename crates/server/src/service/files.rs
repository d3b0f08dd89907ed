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
        let blobs = self.blobs.clone();
        blocking(move || blobs.put(&name, call.offset, &call.data, call.last, Now::get())).await
    }

    pub(super) async fn get_blob(
        &self,
        session: &Session,
        call: v1::GetBlob,
    ) -> Result<v1::BlobPart, Refusal> {
        session.member()?;
        let name = BlobName::from_slice(&call.name)?;
        let blobs = self.blobs.clone();
        if let Some((data, total)) = blocking(move || blobs.get(&name, call.offset)).await? {
            return Ok(v1::BlobPart { data, total });
        }
        let Some(payload) = read(&*self.store, move |tx| tx.payload(&name)).await?.map(Bytes::from) else {
            let text = "there is no such blob; it may have expired, ask its sender to send it again";
            return Err(Refusal::new(Code::NotFound, text));
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
