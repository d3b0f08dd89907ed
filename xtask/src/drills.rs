//! The drills: attacks against the real client and server, and the mutations that show that each drill can fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::failure::{Failure, Outcome, While};
use crate::layout::Layout;
use crate::mutant::{Mutant, Unfit};
use crate::shell;

/// What is built, in the workspace and in the copy.
pub const BUILD: [&str; 5] = ["build", "--package", "zegel-server", "--package", "zegel-drills"];
/// The file that people read.
const DOCUMENT: &str = "docs/drills.md";
/// Where the patches are.
const MUTATIONS: &str = "crates/drills/mutations";

/// Carries out all drills and writes docs/drills.md; fails if an attack succeeds.
pub fn drills(layout: &Layout) -> Outcome {
    let program = built(layout)?;
    let path = layout.root.join(DOCUMENT);
    fs::create_dir_all(layout.root.join("docs")).while_doing("making", &layout.root.join("docs"))?;
    fs::write(&path, markdown(layout, &program)?).while_doing("writing", &path)?;
    println!("{DOCUMENT} is written");
    shell::run(shell::command(program, &layout.root).arg("run"))
}

/// The same for CI, which writes nothing: the document must be what `cargo xtask drills` writes, and each drill must
/// have a mutation that still applies.
pub fn check(layout: &Layout) -> Outcome {
    let program = built(layout)?;
    let path = layout.root.join(DOCUMENT);
    if fs::read_to_string(&path).while_doing("reading", &path)? != markdown(layout, &program)? {
        return Err(Failure::new(format!("{DOCUMENT} is out of date; run `cargo xtask drills`")));
    }
    let all = mutations(layout)?;
    apply(layout, &all)?;
    each_can_fail(layout, &program, &all)?;
    let begun = Instant::now();
    shell::run(shell::command(program, &layout.root).arg("run"))?;
    println!("the drills took {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Whether each patch fits the source as it is now.
fn apply(layout: &Layout, mutations: &[Mutation]) -> Outcome {
    let fits = |patch: &Path| {
        shell::succeeds(shell::command("git", &layout.root).args(["apply", "--check"]).arg(patch))
    };
    let stale: Vec<&str> =
        mutations.iter().filter(|it| !fits(&it.patch)).map(|it| it.name.as_str()).collect();
    if stale.is_empty() {
        println!("{} mutations apply", mutations.len());
        return Ok(());
    }
    Err(Failure::new(format!(
        "mutations do not apply any more: {}; make their patches anew",
        stale.join(", ")
    )))
}

/// Of a drill without a mutation nobody knows whether it can fail. Those that can have none stand in the file WITHOUT
/// beside the patches, `NAME: why` in each line.
fn each_can_fail(layout: &Layout, program: &Path, mutations: &[Mutation]) -> Outcome {
    let list = shell::read(shell::command(program, &layout.root).arg("list"))?;
    let without = layout.root.join(MUTATIONS).join("WITHOUT");
    let without = match without.exists() {
        true => fs::read_to_string(&without).while_doing("reading", &without)?,
        false => String::new(),
    };
    let excused = |drill: &str| {
        without.lines().any(|line| line.split_once(": ").is_some_and(|(name, _)| name == drill))
    };
    let bare: Vec<&str> = list
        .lines()
        .filter(|drill| !excused(drill) && !mutations.iter().any(|it| it.drill == *drill))
        .collect();
    let strays: Vec<&str> = mutations
        .iter()
        .filter(|it| !list.lines().any(|drill| drill == it.drill))
        .map(|it| it.name.as_str())
        .collect();
    if bare.is_empty() && strays.is_empty() {
        return Ok(());
    }
    let (bare, strays) = (bare.join(", "), strays.join(", "));
    Err(Failure::new(format!("drills without a mutation: [{bare}]; mutations of no drill: [{strays}]")))
}

fn built(layout: &Layout) -> Outcome<PathBuf> {
    shell::run(layout.cargo().args(BUILD))?;
    Ok(program(&layout.target))
}

fn program(target: &Path) -> PathBuf {
    target.join("debug").join(format!("zegel-drills{}", std::env::consts::EXE_SUFFIX))
}

fn markdown(layout: &Layout, program: &Path) -> Outcome<String> {
    shell::read(shell::command(program, &layout.root).arg("markdown"))
}

/// A fault for a copy of the source: with it, one drill must turn red.
struct Mutation {
    name: String,
    patch: PathBuf,
    drill: String,
    defence: String,
}

/// Plants each mutation, or the named ones (by file or drill), or the first `first`, in a copy, and runs its drill
/// there: the attack must succeed.
pub fn mutate(layout: &Layout, names: &[String], first: Option<usize>) -> Outcome {
    let all = mutations(layout)?;
    let known = |name: &&String| all.iter().any(|it| it.name == **name || it.drill == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
        return Err(Failure::new(format!("there is no mutation `{unknown}`; there are: {}", all.join(", "))));
    }
    let wanted = |it: &&Mutation| names.is_empty() || names.contains(&it.name) || names.contains(&it.drill);
    let chosen: Vec<&Mutation> = all.iter().filter(wanted).take(first.unwrap_or(usize::MAX)).collect();
    let mutant = Mutant::prepare(layout)?;
    let mut rows = Vec::new();
    for it in &chosen {
        let begun = Instant::now();
        let red = mutant.with(&it.patch, |target| {
            let mut drill = shell::command(program(target), &layout.root);
            shell::status(drill.args(["run", &it.drill]))
        })?;
        let said = match red {
            Ok(1) => "red",
            Ok(0) => "STAYS GREEN",
            Ok(_) => "CANNOT BE RUN",
            Err(Unfit::Apply) => "DOES NOT APPLY",
            Err(Unfit::Compile) => "DOES NOT COMPILE",
        };
        rows.push((said, *it, begun.elapsed()));
    }
    println!("\n{:<17} {:<34} {:>5}  without the defence", "the drill", "mutation", "s");
    for (said, it, took) in &rows {
        println!("{said:<17} {:<34} {:>5.0}  {}", it.name, took.as_secs_f64(), it.defence);
    }
    let took: f64 = rows.iter().map(|(_, _, took)| took.as_secs_f64()).sum();
    println!("{} mutations took {took:.0} s", rows.len());
    let bad = rows.iter().filter(|(said, ..)| *said != "red").count();
    if names.is_empty() && first.is_none() {
        each_can_fail(layout, &built(layout)?, &all)?;
    }
    if bad > 0 {
        return Err(Failure::new(format!("{bad} of {} mutations did not turn their drill red", rows.len())));
    }
    println!("{} mutations, each turns its drill red", rows.len());
    Ok(())
}

fn mutations(layout: &Layout) -> Outcome<Vec<Mutation>> {
    let folder = layout.root.join(MUTATIONS);
    let mut all = Vec::new();
    for file in fs::read_dir(&folder).while_doing("reading", &folder)? {
        let patch = file.while_doing("reading", &folder)?.path();
        if patch.extension().is_some_and(|ending| ending == "patch") {
            let text = fs::read_to_string(&patch).while_doing("reading", &patch)?;
            all.push(head(patch, &text)?);
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Reads `# drill: NAME` and `# defence: TEXT`, which stand before the patch.
fn head(patch: PathBuf, text: &str) -> Outcome<Mutation> {
    let field = |name: &str| {
        let line = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .find_map(|line| line.trim_start_matches('#').trim_start().strip_prefix(name)?.strip_prefix(':'));
        let missing = || Failure::new(format!("{} does not begin with `# {name}: …`", patch.display()));
        line.map(|value| value.trim().to_owned()).ok_or_else(missing)
    };
    let (drill, defence) = (field("drill")?, field("defence")?);
    let name = patch.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Mutation { name, drill, defence, patch })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_mutation() {
        let text = "# drill: ghost device\n# defence: the chain proves each device\n--- a/x\n# drill: no\n";
        let it = head("m/ghost-2.patch".into(), text).expect("complete");
        assert_eq!((it.name.as_str(), it.drill.as_str()), ("ghost-2", "ghost device"));
        assert_eq!(it.defence, "the chain proves each device");
        assert!(head("x.patch".into(), "--- a/x\n# drill: y\n# defence: z\n").is_err());
    }
}
