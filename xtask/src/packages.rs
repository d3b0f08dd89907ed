//! The system's packages: looked for by what they give, installed where we may.

use std::path::Path;
use std::process::Command;

use crate::clang;
use crate::failure::{Failure, Outcome};
use crate::shell;

/// What the packages are wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Building the programs.
    Build,
    /// Building and testing them.
    Test,
}

struct Need {
    what: &'static str,
    /// Whether it is for tests only.
    purpose: Purpose,
    there: fn() -> bool,
    /// Debian's packages, best first: the first set that Debian offers here is taken.
    debian: &'static [&'static [&'static str]],
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler and linker",
        purpose: Purpose::Build,
        there: has_cc,
        debian: &[&["build-essential"]],
    },
    Need { what: "pkg-config", purpose: Purpose::Build, there: has_pkg_config, debian: &[&["pkg-config"]] },
    // SQLCipher is built from its source, but links the system's OpenSSL.
    Need {
        what: "OpenSSL's headers",
        purpose: Purpose::Build,
        there: has_openssl,
        debian: &[&["libssl-dev"]],
    },
    Need {
        what: "clang for wasm32",
        purpose: Purpose::Test,
        there: clang::is_there,
        debian: &[&["clang-22", "llvm-22"], &["clang", "llvm"]],
    },
    // For the scenarios at the desk, in a real browser.
    Need {
        what: "Chromium and its WebDriver",
        purpose: Purpose::Test,
        there: has_chromium,
        debian: &[&["chromium", "chromium-driver"]],
    },
    // For the scenarios with a wrong clock.
    Need { what: "faketime", purpose: Purpose::Test, there: has_faketime, debian: &[&["faketime"]] },
];

fn has_faketime() -> bool {
    shell::succeeds(Command::new("faketime").arg("--version"))
}

fn has_chromium() -> bool {
    let runs = |program| shell::succeeds(Command::new(program).arg("--version"));
    runs("chromium") && runs("chromedriver")
}

fn has_cc() -> bool {
    shell::succeeds(Command::new("cc").arg("--version"))
}

fn has_pkg_config() -> bool {
    shell::succeeds(Command::new("pkg-config").arg("--version"))
}

fn has_openssl() -> bool {
    shell::succeeds(Command::new("pkg-config").args(["--exists", "openssl"]))
}

/// Sees to it that everything is there that is linked or called. Root on Debian gets what is missing; anyone
/// else is told the exact command.
pub fn ensure(purpose: Purpose) -> Outcome {
    let wanted = |need: &&Need| purpose == Purpose::Test || need.purpose == Purpose::Build;
    let missing: Vec<&Need> = NEEDS.iter().filter(wanted).filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", ");
    println!("missing on this machine: {list}");
    if !is_debian() {
        return Err(Failure::new(format!(
            "install these with your system's package manager, then try again: {list}"
        )));
    }
    if shell::is_root() {
        shell::run(Command::new("apt-get").args(["update", "-qq"]))?;
    }
    let names: Vec<&str> = missing.iter().flat_map(|need| offered(need)).copied().collect();
    install(&names)?;
    match missing.iter().find(|need| !(need.there)()) {
        None => Ok(()),
        Some(need) => Err(Failure::new(format!("{} is still missing after the installation", need.what))),
    }
}

/// Installs these packages if we may, else says how.
pub fn install(names: &[&str]) -> Outcome {
    let names_only = ["install", "-y", "--no-install-recommends"];
    if !shell::is_root() {
        let words = [&names_only[..], names].concat().join(" ");
        return Err(Failure::new(format!("run this, then try again: sudo apt-get {words}")));
    }
    shell::run(Command::new("apt-get").args(names_only).args(names).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether this system takes Debian's packages.
pub fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && shell::succeeds(Command::new("apt-get").arg("--version"))
}

fn offered(need: &Need) -> &'static [&'static str] {
    let on_offer =
        |names: &&&[&str]| shell::succeeds(Command::new("apt-cache").arg("show").args(names.iter()));
    need.debian.iter().find(on_offer).or(need.debian.last()).copied().unwrap_or_default()
}
