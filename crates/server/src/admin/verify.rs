//! `verify`: is the store sound?

use super::AdminError;
use crate::store::Store;

/// Lists what is wrong.
pub(super) fn run(store: &dyn Store) -> Result<(), AdminError> {
    let faults = store.verify()?;
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() {
        println!("the store is sound");
        return Ok(());
    }
    Err(AdminError::Damaged(faults.len()))
}
