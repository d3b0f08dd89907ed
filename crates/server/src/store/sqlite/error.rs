//! What the database says, as a [`StoreError`].

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

/// Something failed while `doing`.
pub(super) fn failed(doing: &'static str, error: Error) -> StoreError {
    if is_full(&error) {
        return StoreError::Full;
    }
    StoreError::Failed { doing, why: error.to_string() }
}

/// Something of the file system failed while `doing`.
pub(super) fn failed_io(doing: &'static str, error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed { doing, why: error.to_string() },
    }
}

/// The data folder cannot be used as it is.
pub(super) fn unusable(error: Error) -> StoreError {
    if is_full(&error) { StoreError::Full } else { StoreError::Unusable(error.to_string()) }
}

/// SQLite says `FULL` when a write meets ENOSPC, and `IOERR_SHMSIZE` when growing the WAL's index does.
fn is_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// Whether only one row could not be understood, and the storage itself works.
pub(super) fn is_damaged_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
    )
}

/// Whether the random half of a row id was taken already: another one will do.
pub(super) fn is_taken_id(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
        || error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_CONSTRAINT_ROWID)
}
