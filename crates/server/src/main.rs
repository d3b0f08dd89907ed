//! `zegel-server`: serves, and carries out operators' commands.
//!
//! Exit status: 0 done, 1 failed (said on standard error), 2 the command line was wrong.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;
use zegel_server::{
    admin,
    config::Config,
    net::{self, Start},
};

#[derive(Parser)]
#[command(name = "zegel-server", version, about = "The Zegel service: carries sealed messages, opens none")]
struct Arguments {
    /// How log lines on standard error look
    #[arg(long, global = true, default_value = "text")]
    log: Log,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum Log {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop
    Serve {
        /// The data folder; made if it is missing
        #[arg(long)]
        data: PathBuf,
        /// The key file, outside the data folder; made if it is missing, with its folder
        #[arg(long)]
        keys: PathBuf,
        /// Where to listen; port 0 picks a free one
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: String,
        /// Limits, retention, registration and TLS, as TOML
        #[arg(long)]
        config: Option<PathBuf>,
    },
    #[command(flatten)]
    Admin(admin::Command),
}

fn main() -> ExitCode {
    let Arguments { log, command } = Arguments::parse();
    log_to_stderr(log);
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zegel-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve { data, keys, listen, config } => {
            let config = Config::load(config.as_deref())?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(net::serve(Start { data, keys, listen, config }))?;
        }
        Command::Admin(command) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(admin::run(command))?;
        }
    }
    Ok(())
}

fn log_to_stderr(log: Log) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,zegel_server=info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match log {
        Log::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        Log::Json => lines.json().init(),
    }
}
