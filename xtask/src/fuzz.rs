//! Fuzzes the parsers of foreign bytes (fuzz/, outside the workspace, because it needs a nightly compiler).

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Outcome, While};
use crate::layout::Layout;
use crate::{shell, tools};

/// No input of the fuzzer is longer: an Entry may hold a large message, but a parser that is wrong is wrong sooner.
const MAX_INPUT: &str = "-max_len=16384";

/// Runs one target, or each in turn, for so many seconds.
pub fn fuzz(layout: &Layout, seconds: u32, target: Option<&str>) -> Outcome {
    let cargo_fuzz = ready(layout).map_err(|why| Failure::new(format!("cannot fuzz: {why}")))?;
    run(layout, &cargo_fuzz, seconds, target)
}

/// The same for each target, unless this machine has no nightly compiler and cannot get one: then it says so.
pub fn fuzz_if_possible(layout: &Layout, seconds: u32) -> Outcome {
    match ready(layout) {
        Ok(cargo_fuzz) => run(layout, &cargo_fuzz, seconds, None),
        Err(why) => {
            println!("FUZZING WAS SKIPPED, no target was run: {why}");
            Ok(())
        }
    }
}

fn run(layout: &Layout, cargo_fuzz: &PathBuf, seconds: u32, only: Option<&str>) -> Outcome {
    let targets = targets(layout)?;
    if let Some(unknown) = only.filter(|only| !targets.iter().any(|target| target == only)) {
        return Err(Failure::new(format!(
            "there is no fuzz target `{unknown}`; there are: {}",
            targets.join(", ")
        )));
    }
    for target in targets.iter().filter(|target| only.is_none_or(|only| *target == only)) {
        let corpus = layout.root.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus).while_doing("making", &corpus)?;
        let mut fuzz = shell::command(cargo_fuzz, &layout.root);
        // cargo-fuzz calls plain `cargo`, which rustup turns into the nightly one.
        fuzz.env("RUSTUP_TOOLCHAIN", "nightly").args(["fuzz", "run", "--target-dir"]);
        fuzz.arg(layout.target.join("fuzz")).arg(target);
        // What is found goes to the first folder; the seeds are only read.
        fuzz.arg(format!("fuzz/corpus/{target}")).arg(format!("fuzz/seeds/{target}"));
        fuzz.args([
            "--",
            MAX_INPUT,
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-verbosity=0",
            "-print_final_stats=1",
        ]);
        shell::run(fuzz.arg(format!("-max_total_time={seconds}")))?;
    }
    Ok(())
}

/// The names of the targets: those in fuzz/fuzz_targets. Each needs seeds.
fn targets(layout: &Layout) -> Outcome<Vec<String>> {
    let folder = layout.root.join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).while_doing("reading", &folder)? {
        let path = file.while_doing("reading", &folder)?.path();
        if let (Some("rs"), Some(stem)) = (path.extension().and_then(|e| e.to_str()), path.file_stem()) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// cargo-fuzz and a nightly compiler, installed if need be.
fn ready(layout: &Layout) -> Outcome<PathBuf> {
    let nightly = || shell::succeeds(layout.cargo().env("RUSTUP_TOOLCHAIN", "nightly").arg("--version"));
    if !nightly() {
        let mut install = shell::command("rustup", &layout.root);
        shell::run(install.args(["toolchain", "install", "nightly", "--profile", "minimal"]))?;
    }
    tools::FUZZ.get(layout)
}
