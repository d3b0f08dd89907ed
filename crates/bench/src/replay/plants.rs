//! Positive controls: texts that the running server itself holds, in the open, in each place that is searched.
//!
//! None is put there by hand. The server is given each in a way in which it does keep what it is given, so that a search
//! that finds it has read that place as the server left it:
//!
//! - **database**: an account's handle, which the server publishes and so stores readable. The server is stopped
//!   after the registration, which copies the write-ahead log into the database.
//! - **write-ahead log**: the handle of an account registered just before each search, while a reader keeps the
//!   log from being emptied.
//! - **blobs**: a file uploaded by the protocol. The server cannot tell that it was not sealed, which is the point: had
//!   a client uploaded something readable, the search would show it.
//! - **memory**: the domain in the server's configuration, which it needs for every authentication.

use std::path::Path;

use zegel_client::{AgeBand, Client, Registration};
use zegel_proto::{
    BlobName, Token,
    v1::{self, client_frame as ask},
};

use super::search::Place;
use crate::{
    common::{Result, Server},
    raw,
};

/// See the module.
pub struct Plants {
    /// For the server's configuration.
    pub domain: String,
    database: String,
    blobs: String,
}

impl Plants {
    pub fn new() -> Self {
        Self { domain: format!("{}.example", marker()), database: marker(), blobs: marker() }
    }

    /// Each place and what must be found there.
    pub fn all(&self, log: String) -> Vec<(Place, String)> {
        vec![
            (Place::Database, self.database.clone()),
            (Place::Log, log),
            (Place::Blobs, self.blobs.clone()),
            (Place::Memory, self.domain.clone()),
        ]
    }

    /// Plants into the database; restarts the server.
    pub async fn in_database(&self, server: &mut Server, homes: &Path) -> Result {
        register(&self.database, server, homes).await?;
        server.stop()?;
        server.begin()
    }

    /// Plants into the folder of blobs.
    pub async fn in_blobs(&self, server: &Server) -> Result {
        let place = raw::Place::new(server.url(), None)?;
        let mut uploader = raw::Client::newcomers(&place, 1).await?;
        let uploader = uploader.first_mut().ok_or("nobody to upload a file")?;
        let put = v1::PutBlob {
            name: BlobName::random().to_field(),
            offset: 0,
            data: self.blobs.clone().into_bytes().into(),
            last: true,
        };
        uploader.call(ask::Body::PutBlob(put)).await.map(drop)
    }

    /// Plants into the write-ahead log; returns what.
    pub async fn in_log(&self, server: &Server, homes: &Path) -> Result<String> {
        let handle = marker();
        register(&handle, server, homes).await?;
        Ok(handle)
    }
}

/// A text that occurs nowhere else, and is a good handle.
fn marker() -> String {
    let mut marker = format!("plant-{}", Token::random().to_hex());
    marker.truncate(30);
    marker
}

async fn register(handle: &str, server: &Server, homes: &Path) -> Result {
    let registration =
        Registration { handle: handle.into(), age: AgeBand::Adult, language: "en".into(), invite: None };
    let client = Client::register(&homes.join(handle), server.url(), &registration).await?;
    client.close().await;
    Ok(())
}
