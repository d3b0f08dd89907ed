//! What is written down when the service is caught.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
};

use serde_json::json;
use zegel_directory::View;

use crate::{
    Auditor, Charge, now_ms,
    state::{beside, sync_folder},
};

impl Auditor {
    /// Puts the evidence into a file of its own, and counts the lie.
    pub(crate) fn write_down(&mut self, charge: &Charge) -> io::Result<PathBuf> {
        let state = &self.options.state;
        let evidence = json!({
            "version": 1,
            "server": self.source.url(),
            "domain": self.state.as_ref().map(|state| state.view.domain()),
            "keys": self.state.as_ref().map(|state| &state.view).map(keys),
            "epoch": charge.epoch,
            "found": format!("the service's directory {}", charge.finding),
            "found_ms": now_ms(),
            "exhibits": charge.exhibits,
        });
        let text = serde_json::to_string_pretty(&evidence)?;
        let mut number = 1;
        let path = loop {
            let path = beside(state, &format!(".lie-{number}.json"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes())?;
                    file.sync_all()?;
                    break path;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        };
        sync_folder(&path)?;
        if let Some(kept) = &mut self.state {
            kept.lies += 1;
            // The evidence is what counts; a state that cannot be written is told of at the next step.
            let _ = kept.save(state);
        }
        Ok(path)
    }
}

/// The directory's keys, in hexadecimal.
fn keys(view: &View) -> Vec<String> {
    view.signers().keys().iter().map(hex::encode).collect()
}
