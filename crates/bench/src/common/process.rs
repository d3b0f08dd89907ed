//! What the kernel says about a process: time on the processor, and memory.

use std::fs;

use super::Result;

/// Ticks of the processor clock in a second, as `/proc` counts them: a constant of Linux's interface.
const TICKS: f64 = 100.0;

/// Seconds that a process has spent on processors, its own and the kernel's for it.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name in brackets, which may hold spaces; user and system time are the 12th and 13th after it.
    let rest = stat.rsplit_once(')').ok_or("while reading the processor time: no name in /proc/PID/stat")?.1;
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS)
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All that is resident, shared libraries and files included.
    pub resident: u64,
    /// What belongs to this process alone.
    pub private: u64,
}

/// The memory of a process now.
pub fn memory(pid: u32) -> Result<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
            * 1024
    };
    Ok(Memory { resident: field("Rss:"), private: field("Private_Clean:") + field("Private_Dirty:") })
}
