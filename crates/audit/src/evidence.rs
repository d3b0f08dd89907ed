//! What is written down when the service is caught.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
};

use serde_json::json;

use crate::{
    Auditor, Charge, Finding, now_ms,
    state::{State, beside, sync_folder},
    statement::Key,
};

impl Auditor {
    /// Puts the evidence into a file of its own, and counts the lie.
    pub(crate) fn write_down(&mut self, charge: &Charge) -> io::Result<PathBuf> {
        if let Finding::Apart(peer) = &charge.finding
            && let Some(path) = self.apart.get(peer)
        {
            return Ok(path.clone());
        }
        let state = &self.options.state;
        let evidence = json!({
            "version": 1,
            "server": self.source.url(),
            "domain": self.state.as_ref().map(|state| state.view.domain()),
            "keys": self.state.as_ref().map(keys),
            "epoch": charge.epoch,
            "found": format!("the service's directory {}", charge.finding),
            "signed_twice": charge.signed_twice,
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
        if let Finding::Apart(peer) = &charge.finding {
            self.apart.insert(peer.clone(), path.clone());
        } else if let Some(kept) = &mut self.state {
            kept.lies += 1;
            // The evidence is what counts; a state that cannot be written is told of at the next step.
            let _ = kept.save(state);
        }
        Ok(path)
    }
}

fn keys(state: &State) -> Vec<Key> {
    state.signers.iter().map(Key::from).collect()
}
