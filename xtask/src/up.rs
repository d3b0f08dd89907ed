//! A running service to try by hand: a server, two adults and a child, a moderator, and what to open and type.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::demo_server::DemoServer;
use crate::failure::{Failure, Outcome, While};
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use crate::packages::{self, Purpose};
use crate::shell;

/// Each with the age that they say.
const PEOPLE: [(&str, &str); 3] = [("alice", "adult"), ("bob", "adult"), ("kim", "child")];
/// Two, because some things need a second person.
const DESK: [(&str, &str); 2] = [("moderator", "mia"), ("senior", "sam")];

/// Builds, starts, registers, explains; runs until Ctrl-C.
///
/// The build is the one that tests use: dependencies (so all cryptography) are optimised in it anyway, and a
/// release build of our own crates would only make people wait.
pub fn up(layout: &Layout) -> Outcome {
    let interrupt = Interrupt::listen()?;
    packages::ensure(Purpose::Build)?;
    shell::run(layout.cargo().args(["build", "--package", "zegel-server", "--package", "zegel-cli"]))?;
    let programs = layout.target.join("debug");
    let (demo, _lock) = fresh_folder(layout)?;

    let mut serve = shell::command(programs.join("zegel-server"), &layout.root);
    serve.arg("serve").arg("--data").arg(demo.join("server")).arg("--keys").arg(demo.join("server.keys"));
    let mut server = DemoServer::start(serve.args(["--listen", "127.0.0.1:0"]))?;
    let url = server.wait_for_url(&interrupt)?;

    let zegel = programs.join("zegel");
    for (person, age) in PEOPLE {
        if interrupt.came() {
            return server.stop();
        }
        let mut register = shell::command(&zegel, &layout.root);
        register.arg("--home").arg(demo.join(person)).args(["register", person, "--server", &url]);
        shell::run(register.args(["--age", age]))?;
    }
    let mut links = Vec::new();
    for (role, name) in DESK {
        let mut invite = shell::command(programs.join("zegel-server"), &layout.root);
        invite
            .arg("desk-invite")
            .arg("--data")
            .arg(demo.join("server"))
            .arg("--keys")
            .arg(demo.join("server.keys"));
        links.push(shell::read(invite.args([role, "--name", name, "--origin", &localhost(&url)]))?);
    }
    println!("{}", explanation(&zegel, &demo, &url, &links));
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

/// Browsers make passkeys for names only.
fn localhost(url: &str) -> String {
    url.replace("127.0.0.1", "localhost")
}

fn explanation(zegel: &Path, demo: &Path, url: &str, links: &[String]) -> String {
    let person = |name: &str| typed(zegel, &demo.join(name));
    format!(
        "\nThe server runs at {url}, with the accounts alice and bob, who are adults, and kim, a child.\n\
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
         No stranger reaches kim, and alice is not told so. With a contact code she does:\n\n    \
         {alice} send kim 'Hello, who are you?'\n    \
         {kim} requests\n    \
         {kim} code\n    \
         {alice} connect CODE\n\n\
         The rules that protect kim are at {url}/safety; here too, with who helps near you:\n\n    \
         {kim} safety\n    \
         {kim} safety help --country nl\n\n\
         Alice becomes kim's guardian when both want it (first in a chat, for which the code is enough):\n\n    \
         {alice} guardian link kim\n    \
         {kim} guardian link alice\n\n\
         Should alice have to report bob, she sees exactly what is disclosed before it is:\n\n    \
         {alice} report bob --reason harassment\n\n\
         and somebody deals with it, in a browser with passkeys (these links are good once):\n\n    \
         {moderator}   mia, a moderator\n    \
         {senior}   sam, a senior, who decides appeals and lets evidence out\n\n\
         ZEGEL_HOME selects the profile as `--home` does. A `follow` lets other commands of the same person through.\n\
         Ctrl-C here ends the demo; the next one starts afresh.\n",
        alice = person("alice"),
        bob = person("bob"),
        kim = person("kim"),
        moderator = links[0].trim(),
        senior = links[1].trim(),
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
        let links = ["http://localhost:9/desk/join/a", "http://localhost:9/desk/join/b"].map(str::to_owned);
        let text =
            explanation(Path::new("/t/zegel"), Path::new("/t/demo folder"), "http://127.0.0.1:9", &links);
        assert!(text.contains("    http://localhost:9/desk/join/b   sam"), "{text}");
        assert!(text.contains("    /t/zegel --home '/t/demo folder/alice' send bob 'Hello!'\n"), "{text}");
        assert!(text.contains("    /t/zegel --home '/t/demo folder/bob' accept alice\n"), "{text}");
        assert!(text.contains("    /t/zegel --home '/t/demo folder/kim' safety\n"), "{text}");
        assert!(text.contains("http://127.0.0.1:9,"), "{text}");
    }
}
