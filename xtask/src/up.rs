//! A running service to try by hand: a server, three people, and what to type.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::demo_server::DemoServer;
use crate::failure::{Failure, Outcome, While};
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use crate::shell;

const PEOPLE: [&str; 3] = ["alice", "bob", "mod"];

/// Builds, starts, registers, explains; runs until Ctrl-C.
///
/// The build is the one that tests use: dependencies (so all cryptography) are optimised in it anyway, and a
/// release build of our own crates would only make people wait.
pub fn up(layout: &Layout) -> Outcome {
    let interrupt = Interrupt::listen()?;
    shell::run(layout.cargo().args(["build", "--package", "zegel-server", "--package", "zegel-cli"]))?;
    let programs = layout.target.join("debug");
    let (demo, _lock) = fresh_folder(layout)?;

    let mut serve = shell::command(programs.join("zegel-server"), &layout.root);
    serve.arg("serve").arg("--data").arg(demo.join("server")).arg("--keys").arg(demo.join("server.keys"));
    let mut server = DemoServer::start(serve.args(["--listen", "127.0.0.1:0"]))?;
    let url = server.wait_for_url(&interrupt)?;

    let zegel = programs.join("zegel");
    for person in PEOPLE {
        if interrupt.came() {
            return server.stop();
        }
        let mut register = shell::command(&zegel, &layout.root);
        register.arg("--home").arg(demo.join(person)).args(["register", person, "--server", &url]);
        shell::run(register.args(["--age", "adult"]))?;
    }
    explain(&zegel, &demo, &url);
    server.wait(&interrupt)?;
    server.stop()
}

/// An empty target/demo, and the lock that keeps a second demo from emptying it again.
fn fresh_folder(layout: &Layout) -> Outcome<(PathBuf, File)> {
    let lock_path = layout.target.join("demo.lock");
    let lock = File::create(&lock_path).while_doing("making", &lock_path)?;
    lock.try_lock().map_err(|_| Failure::new("a demo is running already: stop it with Ctrl-C first"))?;
    let demo = layout.target.join("demo");
    if demo.exists() {
        fs::remove_dir_all(&demo).while_doing("removing", &demo)?;
    }
    fs::create_dir_all(&demo).while_doing("making", &demo)?;
    Ok((demo, lock))
}

fn explain(zegel: &Path, demo: &Path, url: &str) {
    println!("{}", explanation(zegel, demo, url));
}

fn explanation(zegel: &Path, demo: &Path, url: &str) -> String {
    let person = |name: &str| typed(zegel, &demo.join(name));
    format!(
        "\nThe server runs at {url}, with the accounts alice, bob and mod.\n\
         In a second terminal, alice introduces herself:\n\n    \
         {alice} send bob 'Hello!'\n\n\
         In a third one, bob sees who asks, accepts, answers, and waits for more:\n\n    \
         {bob} requests\n    \
         {bob} accept alice\n    \
         {bob} send alice 'Hello to you.'\n    \
         {bob} follow\n\n\
         Back in the second one:\n\n    \
         {alice} read\n    \
         {alice} send bob 'There you are.'\n\n\
         ZEGEL_HOME selects the profile as `--home` does. A `follow` lets other commands of the same person through.\n\
         Ctrl-C here ends the demo; the next one starts afresh.\n",
        alice = person("alice"),
        bob = person("bob"),
    )
}

fn typed(zegel: &Path, home: &Path) -> String {
    let mut command = Command::new(zegel);
    shell::written(command.arg("--home").arg(home))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explanation_holds_whole_commands() {
        let text = explanation(Path::new("/t/zegel"), Path::new("/t/demo folder"), "http://127.0.0.1:9");
        assert!(text.contains("    /t/zegel --home '/t/demo folder/alice' send bob 'Hello!'\n"), "{text}");
        assert!(text.contains("    /t/zegel --home '/t/demo folder/bob' accept alice\n"), "{text}");
        assert!(text.contains("http://127.0.0.1:9,"), "{text}");
    }
}
