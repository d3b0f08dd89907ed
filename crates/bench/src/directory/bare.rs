//! akd alone, in memory, as its own benches run it.

use std::time::Instant;

use akd::storage::{StorageManager, memory::AsyncInMemoryDatabase};
use akd::{AkdLabel, AkdValue, AzksParallelismConfig, WhatsAppV1Configuration};
use zegel_directory::{Entry, Label, publisher::VrfKey};

use crate::common::Result;

/// See the module.
pub struct Bare(akd::Directory<WhatsAppV1Configuration, AsyncInMemoryDatabase, VrfKey>);

impl Bare {
    pub async fn new() -> Result<Self> {
        let storage = StorageManager::new_no_cache(AsyncInMemoryDatabase::new());
        Ok(Self(akd::Directory::new(storage, VrfKey::random(), AzksParallelismConfig::default()).await?))
    }

    /// Seconds that an epoch took.
    pub async fn publish(&mut self, updates: &[(Label, Entry)]) -> Result<f64> {
        let updates =
            updates.iter().map(|(label, entry)| (AkdLabel(label.0.to_vec()), AkdValue(entry.to_bytes())));
        let updates = updates.collect();
        let begun = Instant::now();
        self.0.publish(updates).await?;
        Ok(begun.elapsed().as_secs_f64())
    }
}
