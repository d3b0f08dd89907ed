//! Debian's compiler for the web, unpacked beside the system instead of installed into it.
//!
//! `rustc-web` is built from the source of Rust for browsers' sake and has the wasm32 target; the standard library
//! for that target is built here from Debian's source package of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome, While};
use crate::layout::Layout;
use crate::wasm_toolchain::TARGET;
use crate::{packages, shell};

/// Raised when what is below changes, so that an older set-up is made anew.
const RECIPE: &str = "1";
/// Libraries that Debian's libLLVM and lld link to.
const LIBRARIES: &[&str] = &["libedit2", "libffi8", "libxml2", "libz3-4", "libzstd1"];

/// The `bin` folder of the compiler, made ready if it is not (or if asked for `again`).
pub fn set_up(layout: &Layout, again: bool) -> Outcome<PathBuf> {
    let tools = layout.compilers()?;
    fs::create_dir_all(&tools).while_doing("making", &tools)?;
    let lock_path = tools.join("wasm-toolchain.lock");
    let lock = File::create(&lock_path).while_doing("making", &lock_path)?;
    lock.lock().while_doing("waiting for", &lock_path)?;

    let place = Place::new(tools.join("wasm-toolchain"))?;
    let stamp = place.folder.join("stamp");
    let done = fs::read_to_string(&stamp).is_ok_and(|recipe| recipe.trim() == RECIPE);
    if again || !done {
        place.make()?;
        fs::write(&stamp, RECIPE).while_doing("writing", &stamp)?;
    }
    Ok(place.bin())
}

struct Place {
    folder: PathBuf,
    /// The host's target triple, such as x86_64-unknown-linux-gnu.
    host: String,
}

/// Which packages to unpack.
struct Packages {
    names: Vec<String>,
    llvm: String,
}

impl Place {
    fn new(folder: PathBuf) -> Outcome<Self> {
        let version = shell::read(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Failure::new("`rustc -vV` did not name its host"))?.to_owned();
        Ok(Self { folder, host })
    }

    fn usr(&self) -> PathBuf {
        self.folder.join("usr")
    }

    fn bin(&self) -> PathBuf {
        self.usr().join("bin")
    }

    /// Debian's name for the folder of this machine's libraries: the triple without the vendor.
    fn libraries(&self) -> PathBuf {
        self.usr().join("lib").join(self.host.replace("-unknown", ""))
    }

    fn make(&self) -> Outcome {
        if !packages::is_debian() {
            return Err(Failure::new(
                "ZEGEL_WASM=debian needs Debian's apt-get; leave it unset to use rustup",
            ));
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).while_doing("removing", &self.folder)?;
        }
        fs::create_dir_all(&self.folder).while_doing("making", &self.folder)?;
        let wanted = choose(&self.folder)?;
        self.unpack(&wanted)?;
        self.wrap()?;
        self.link_linker(&wanted.llvm)?;
        self.install_libraries(&wanted.llvm)?;
        self.build_std()
    }

    fn unpack(&self, wanted: &Packages) -> Outcome {
        let mut download = shell::command("apt-get", &self.folder);
        // The sandbox user of apt could not write into a home folder.
        download.args(["download", "-qq", "-o", "APT::Sandbox::User=root"]).args(&wanted.names);
        shell::run(&mut download)?;
        for file in fs::read_dir(&self.folder).while_doing("reading", &self.folder)? {
            let package = file.while_doing("reading", &self.folder)?.path();
            if package.extension().is_some_and(|ending| ending == "deb") {
                shell::run(shell::command("dpkg", &self.folder).arg("-x").arg(&package).arg("."))?;
                fs::remove_file(&package).while_doing("removing", &package)?;
            }
        }
        Ok(())
    }

    /// The programs look for their libraries where Debian would have installed them; say where they are instead.
    fn wrap(&self) -> Outcome {
        let hidden = self.usr().join("libexec").join("zegel");
        fs::create_dir_all(&hidden).while_doing("making", &hidden)?;
        let libraries = self.libraries();
        for name in ["rustc", "rustdoc"] {
            let (shown, real) = (self.bin().join(name), hidden.join(name));
            fs::rename(&shown, &real).while_doing("moving", &shown)?;
            let script = format!(
                "#!/bin/sh\nexport LD_LIBRARY_PATH='{}'${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\nexec '{}' \"$@\"\n",
                libraries.display(),
                real.display()
            );
            fs::write(&shown, script).while_doing("writing", &shown)?;
            shell::run(Command::new("chmod").arg("+x").arg(&shown))?;
        }
        // The cargo in use calls this compiler; the packaged one, if any, would need yet more libraries.
        let cargo = self.bin().join("cargo");
        if cargo.exists() {
            fs::remove_file(&cargo).while_doing("removing", &cargo)?;
        }
        Ok(())
    }

    /// rustc looks for its linker as rust-lld; Debian packages it as lld-N.
    fn link_linker(&self, llvm: &str) -> Outcome {
        let folder = self.usr().join("lib/rustlib").join(&self.host).join("bin");
        fs::create_dir_all(&folder).while_doing("making", &folder)?;
        let link = folder.join("rust-lld");
        shell::run(Command::new("ln").arg("-sfn").arg(format!("../../../../bin/lld-{llvm}")).arg(&link))
    }

    fn install_libraries(&self, llvm: &str) -> Outcome {
        let linker = self.usr().join("lib").join(format!("llvm-{llvm}")).join("bin/lld");
        let mut ask = Command::new("ldd");
        ask.env("LD_LIBRARY_PATH", self.libraries()).arg(self.usr().join("libexec/zegel/rustc")).arg(linker);
        if shell::read(&mut ask)?.contains("not found") { packages::install(LIBRARIES) } else { Ok(()) }
    }

    fn build_std(&self) -> Outcome {
        let source = self.usr().join("lib/rustlib/src/rust/library");
        let library = self.folder.join("library");
        // Some of it are links to elsewhere in the package.
        shell::run(Command::new("cp").arg("-rL").arg(&source).arg(&library))?;
        let build_dir = self.folder.join("build");
        let mut build = shell::command("cargo", &library);
        for inherited in
            ["CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "RUSTC_WRAPPER"]
        {
            build.env_remove(inherited);
        }
        build.env("RUSTC", self.bin().join("rustc"));
        // The standard library uses unstable features, and marks itself as allowed to.
        build.env("RUSTC_BOOTSTRAP", "1").env("__CARGO_DEFAULT_LIB_METADATA", "zegel");
        // What is built with it must not tell where it was built.
        let vendor = sources_of_crates()?;
        let moved = [(&library, "library"), (&vendor, "vendor")]
            .map(|(from, to)| format!("--remap-path-prefix={}=/rustc/{to}", from.display()));
        let flags = ["-Zforce-unstable-if-unmarked", "-Cembed-bitcode=yes", &moved[0], &moved[1]];
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        build.args(["build", "--release", "--quiet", "--manifest-path", "sysroot/Cargo.toml"]);
        build.args(["--features", "panic-unwind", "--target", TARGET, "--target-dir"]).arg(&build_dir);
        shell::run(&mut build)?;

        let into = self.usr().join("lib/rustlib").join(TARGET).join("lib");
        fs::create_dir_all(&into).while_doing("making", &into)?;
        let built = build_dir.join(TARGET).join("release/deps");
        for file in fs::read_dir(&built).while_doing("reading", &built)? {
            let path = file.while_doing("reading", &built)?.path();
            if let (Some("rlib"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_name())
            {
                fs::copy(&path, into.join(name)).while_doing("copying", &path)?;
            }
        }
        for spent in [library, build_dir, self.usr().join("src"), self.usr().join("share"), source] {
            if spent.exists() {
                fs::remove_dir_all(&spent).while_doing("removing", &spent)?;
            }
        }
        Ok(())
    }
}

/// Where cargo keeps the source of crates.
fn sources_of_crates() -> Outcome<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    let cargo = cargo.ok_or_else(|| Failure::new("neither CARGO_HOME nor HOME is set: set one of them"))?;
    Ok(cargo.join("registry").join("src"))
}

/// rustc-web and what it stands on; their names hold version numbers, so apt is asked.
fn choose(folder: &Path) -> Outcome<Packages> {
    if shell::is_root() {
        shell::run(Command::new("apt-get").args(["update", "-qq"]))?;
    }
    let depends = |package: &str, prefix: &str| {
        let mut ask = shell::command("apt-cache", folder);
        ask.args(["depends", "--no-recommends", "--no-suggests", package]);
        let list = shell::read(&mut ask)?;
        dependency(&list, prefix)
            .ok_or_else(|| Failure::new(format!("Debian's {package} names no {prefix}*")))
    };
    let std = depends("libstd-rust-web-dev", "libstd-rust-web-")?;
    let libllvm = depends(&std, "libllvm")?;
    let llvm = libllvm.trim_start_matches("libllvm").to_owned();
    let names = ["rustc-web".into(), "libstd-rust-web-dev".into(), "rust-web-src".into()];
    let names = names.into_iter().chain([std, libllvm, format!("lld-{llvm}")]).collect();
    Ok(Packages { names, llvm })
}

/// The first package in the answer of `apt-cache depends` whose name is `prefix` and a version number.
fn dependency(list: &str, prefix: &str) -> Option<String> {
    let names = list.lines().filter_map(|line| line.trim().trim_start_matches('|').strip_prefix("Depends: "));
    let numbered = |name: &&str| {
        let version = name.strip_prefix(prefix).unwrap_or_default();
        !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    names.map(str::trim).find(numbered).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::dependency;

    #[test]
    fn finds_the_numbered_dependency() {
        let list = "libstd-rust-web-dev\n  Depends: gcc\n |Depends: libstd-rust-web-dev\n  Depends: libstd-rust-web-1.96\n";
        assert_eq!(dependency(list, "libstd-rust-web-").as_deref(), Some("libstd-rust-web-1.96"));
        assert_eq!(dependency("x\n  Depends: libllvm22\n", "libllvm").as_deref(), Some("libllvm22"));
        assert_eq!(dependency("x\n  Conflicts: libllvm22\n", "libllvm"), None);
    }
}
