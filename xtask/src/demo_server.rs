//! A server process of our own: started, read, and stopped whatever happens.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::shell;

const MARK: &str = "listening on http://";
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(15);
const GLANCE: Duration = Duration::from_millis(100);

/// The process; it is stopped when this is dropped.
pub struct DemoServer {
    process: Child,
    lines: Receiver<String>,
}

impl DemoServer {
    /// Starts it in a process group of its own, so that Ctrl-C in the terminal reaches only us.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        shell::announce(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut process =
            command.spawn().map_err(|error| Failure::new(format!("starting the server: {error}")))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = process.stdout.take() {
            pass_on(output, sender.clone());
        }
        if let Some(output) = process.stderr.take() {
            pass_on(output, sender);
        }
        Ok(Self { process, lines })
    }

    /// Waits for the line that says where it listens.
    pub fn wait_for_url(&mut self, interrupt: &Interrupt) -> Outcome<String> {
        let begun = Instant::now();
        while begun.elapsed() < START && !interrupt.came() {
            match self.lines.recv_timeout(GLANCE) {
                Ok(line) => {
                    if let Some(url) = url_in(&line) {
                        return Ok(url);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ended(self.process.wait())),
            }
        }
        Err(Failure::new(if interrupt.came() {
            "stopped before the server listened".to_owned()
        } else {
            format!("the server did not print `{MARK}ADDRESS` within {} s", START.as_secs())
        }))
    }

    /// Waits until someone asks us to end; that the server ends by itself is a failure.
    pub fn wait(&mut self, interrupt: &Interrupt) -> Outcome {
        while !interrupt.came() {
            match self.process.try_wait() {
                Ok(None) => thread::sleep(GLANCE),
                Ok(Some(status)) => return Err(ended(Ok(status))),
                Err(error) => return Err(ended(Err(error))),
            }
        }
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn stop(mut self) -> Outcome {
        println!("stopping the server");
        let status = self.end()?;
        if status.success() { Ok(()) } else { Err(ended(Ok(status))) }
    }

    fn end(&mut self) -> Outcome<ExitStatus> {
        if let Ok(Some(status)) = self.process.try_wait() {
            return Ok(status);
        }
        kill_process(Pid::from_child(&self.process), Signal::TERM)
            .map_err(|error| Failure::new(format!("stopping the server: {error}")))?;
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Ok(status);
            }
            thread::sleep(GLANCE);
        }
        let killed = self.process.kill().and_then(|()| self.process.wait());
        killed.map_err(|error| Failure::new(format!("killing the server: {error}")))?;
        Err(Failure::new(format!(
            "the server did not stop within {} s of SIGTERM and was killed",
            STOP.as_secs()
        )))
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            eprintln!("xtask: {failure}");
        }
    }
}

/// Shows each line and hands it to `lines`; keeps on when nobody takes them any more.
fn pass_on(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("server: {line}");
            let _ = lines.send(line);
        }
    });
}

fn url_in(line: &str) -> Option<String> {
    let address = line.split_once(MARK)?.1.split_whitespace().next()?;
    Some(format!("http://{address}"))
}

fn ended(status: std::io::Result<ExitStatus>) -> Failure {
    Failure::new(match status {
        Ok(status) => format!("the server ended by itself with {status}"),
        Err(error) => format!("asking about the server: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(script: &str) -> DemoServer {
        DemoServer::start(Command::new("sh").args(["-c", script])).expect("sh starts")
    }

    #[test]
    fn finds_the_address_and_stops_politely() {
        let mut s = server(
            "trap 'exit 0' TERM; echo ready; echo listening on http://127.0.0.1:7; while :; do sleep 0.1; done",
        );
        assert_eq!(s.wait_for_url(&Interrupt::fixed(false)).expect("an address"), "http://127.0.0.1:7");
        s.wait(&Interrupt::fixed(true)).expect("we are asked to end");
        s.stop().expect("a clean end");
    }

    #[test]
    fn a_server_that_ends_is_a_failure() {
        let no = Interrupt::fixed(false);
        assert!(server("exit 4").wait_for_url(&no).expect_err("no address").to_string().contains('4'));
        let mut s = server("echo listening on http://127.0.0.1:7");
        s.wait_for_url(&no).expect("an address");
        assert!(s.wait(&no).expect_err("it ended").to_string().contains("by itself"));
    }

    #[test]
    fn a_server_that_fails_when_stopped_is_a_failure() {
        let mut s =
            server("trap 'exit 9' TERM; echo listening on http://127.0.0.1:7; while :; do sleep 0.1; done");
        s.wait_for_url(&Interrupt::fixed(false)).expect("an address");
        assert!(s.stop().expect_err("exit 9").to_string().contains('9'));
    }
}
