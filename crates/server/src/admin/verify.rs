//! `verify`: is the store sound, and the key directory one history?

use std::sync::Arc;

use super::AdminError;
use crate::{keys::KeyRing, service, store::Store};

/// Lists what is wrong.
pub(super) async fn run(store: Arc<dyn Store>, keys: Option<&KeyRing>) -> Result<(), AdminError> {
    let mut faults = store.verify()?;
    // What is damaged as a file need not be read as a directory.
    if faults.is_empty() {
        faults = service::faults(store, keys).await?;
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() {
        println!("the store is sound");
        return Ok(());
    }
    Err(AdminError::Damaged(faults.len()))
}
