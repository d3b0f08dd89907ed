//! Two people meet. With a server running (`cargo xtask up`):
//! `cargo run -p zegel-client --example hello -- http://127.0.0.1:PORT`

use std::{error::Error, path::Path, time::Duration};

use zegel_client::{AgeBand, Client, Registration};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).ok_or("usage: hello SERVER_URL")?;
    let folder = tempfile::tempdir()?;
    let ann = join(&server, folder.path(), "ann").await?;
    let ben = join(&server, folder.path(), "ben").await?;

    // Ben gives Ann his contact code, so they need no introduction.
    let friend = ann.connect(&ben.code().await?).await?;
    let id = ann.send(&friend, "Hello!").await?;
    println!("accepted: {id}");

    let mut changes = ben.changes();
    while !ben.read(None, 0, false, false)?.iter().any(|line| line.id == id) {
        changes.changed().await?;
    }
    let lines = ben.read(None, 0, true, true)?;
    lines.iter().for_each(|line| println!("{} says: {}", line.from, line.text));
    Ok(())
}

/// Makes an account whose handle no earlier run has used.
async fn join(server: &str, folder: &Path, name: &str) -> zegel_client::Result<Client> {
    let handle = format!("{name}{}", std::process::id());
    let registration = Registration { handle, age: AgeBand::Adult, language: "en".into(), invite: None };
    let client = Client::register(&folder.join(name), server, &registration).await?;
    client.caught_up(Duration::from_secs(30)).await?;
    Ok(client)
}
