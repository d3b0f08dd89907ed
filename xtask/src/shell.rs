//! Runs other programs, and prints each before it runs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A command of this name, run in `folder`.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

/// Prints the command, runs it with our own input and output, and fails if it does.
pub fn run(command: &mut Command) -> Outcome {
    announce(command);
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{}` ended with {status}", written(command))))
    }
}

/// Prints the command, runs it with our own input and output, and gives back its exit status.
pub fn status(command: &mut Command) -> Outcome<i32> {
    announce(command);
    let status = command.status().map_err(|error| not_started(command, &error))?;
    let killed = || Failure::new(format!("`{}` ended with {status}", written(command)));
    status.code().ok_or_else(killed)
}

/// Runs a command quietly and gives back what it wrote to standard output.
pub fn read(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "`{}` ended with {}: {}",
            written(command),
            output.status,
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be run and succeeds; it prints nothing.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether this user is root.
pub fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Prints a command as it could be typed, with the variables that are set for it.
pub fn announce(command: &Command) {
    println!("$ {}", written(command));
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("starting `{}`: {error}", written(command)))
}

/// A command as it could be typed.
pub fn written(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.to_string_lossy(), quoted(value)))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_printed_as_it_could_be_typed() {
        let mut c = Command::new("cargo");
        c.args(["run", "it's two words", ""]).env("A", "b c").env_remove("HOME");
        assert_eq!(written(&c), r"A='b c' cargo run 'it'\''s two words' ''");
    }

    #[test]
    fn failing_commands_are_failures() {
        let here = Path::new(".");
        assert!(run(command("sh", here).args(["-c", "exit 0"])).is_ok());
        assert!(run(command("sh", here).args(["-c", "exit 3"])).is_err());
        assert!(read(&mut command("no-such-program-here", here)).is_err());
        assert!(!succeeds(&mut command("no-such-program-here", here)));
    }
}
