//! Notices Ctrl-C (and a polite kill), so that what was started can be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Failure, Outcome};

/// Whether someone asked us to end.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on such a signal is noted instead of ending us; a second one ends us at once.
    pub fn listen() -> Outcome<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 1, asked.clone())
                .and_then(|_| flag::register(signal, asked.clone()))
                .map_err(|error| Failure::new(format!("listening for signal {signal}: {error}")))?;
        }
        Ok(Self(asked))
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// One that came already, or never will.
    #[cfg(test)]
    pub fn fixed(came: bool) -> Self {
        Self(Arc::new(AtomicBool::new(came)))
    }
}
