//! "Decrypt for order 123".

use std::process::Command;

use zegel_proto::{Message as _, v1::client_frame as ask};

use super::search::{in_file, in_folder, in_memory};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Office, Person, Stage, befriend, device_of, server_program},
};

/// An order to decrypt.
pub const DECRYPT: Drill = Drill {
    name: "decrypt-order",
    attacker: Attacker::State,
    attempt: "A judge orders the operator to decrypt a conversation: its programmers look for what they could call, and for a key in program, disk, key file and memory.",
    defence: "There is nothing to call and no key: the server is linked with no MLS library, and what opens a conversation never comes near it.",
    caught: "there is nothing to catch: it cannot be done",
    run: |stage| Box::pin(decrypt(stage)),
};

const SAID: &str = "meet me at the lighthouse at half past nine";

async fn decrypt(stage: &Stage) -> Verdict {
    // Something to call.
    let program = server_program()?;
    let library = vec![b"openmls".to_vec()];
    let own = std::env::current_exe()?;
    carried_out(in_file(&own, &library)?[0], "finding the MLS library in a program that has it")?;
    held(!in_file(&program, &library)?[0], "the server is linked with an MLS library")?;
    let help = Command::new(&program).arg("--help").output()?;
    let help = String::from_utf8_lossy(&help.stdout).to_lowercase();
    carried_out(help.contains("serve"), "reading the server's own list of commands")?;
    for word in ["decrypt", "wiretap", "intercept", "escrow"] {
        held(!help.contains(word), format!("the server has a command with {word} in it"))?;
    }
    for order in ["decrypt", "order"] {
        let refused = Command::new(&program).args([order, "123"]).output()?;
        held(refused.status.code() == Some(2), format!("the server carries out `{order} 123`"))?;
    }

    // A key.
    let office = Office::before(stage.address()).await?;
    let alice = Person::registers("alice", &office.proxy().url()).await?;
    let bob = Person::registers("bob", &office.proxy().url()).await?;
    befriend(&alice, &bob).await?;
    let heard = office.hears(&alice, SAID, "bob").await?;
    bob.reads(SAID).await?;
    let ciphertext = heard.submit.message.to_vec();
    held(!ciphertext.windows(9).any(|part| part == b"lighthous"), "it was sent in the clear")?;
    let frame = ask::Body::Submit(heard.submit.clone());
    let frame = zegel_proto::v1::ClientFrame { call: 1, body: Some(frame) }.encode_to_vec();
    held(!frame.windows(9).any(|part| part == b"lighthous"), "the call says it in the clear")?;

    let mut secrets = vec![SAID.as_bytes().to_vec()];
    for person in [&alice, &bob] {
        secrets.extend(person.client()?.rogue_secrets(if person.handle == "alice" {
            "bob"
        } else {
            "alice"
        })?);
    }
    let count = secrets.len();
    // What the server does have, so that a search that finds nothing proves that there is nothing.
    let known = device_of(&bob)?.0.to_vec();
    secrets.push(known);
    let (data, keys, pid) = stage.server(|server| (server.data(), server.keys(), server.pid()));
    let pid = pid.ok_or("the server is not running")?;
    let places = [
        ("data folder", in_folder(&data, &secrets)?, true),
        ("key file", in_file(&keys, &hexed(&secrets))?, false),
        ("memory", in_memory(pid, &secrets)?, true),
    ];
    for (place, found, has_known) in places {
        carried_out(!has_known || found[count], format!("finding in the {place} what is there"))?;
        for (number, found) in found[..count].iter().enumerate() {
            let what = if number == 0 { "what was said" } else { "a secret that opens it" };
            held(!found, format!("{what} is in the server's {place}"))?;
        }
    }
    Ok(format!("no MLS library, no command, and none of {} secrets in data, key file or memory", count - 1))
}

/// As the key file writes keys.
fn hexed(secrets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    secrets.iter().map(|secret| hex::encode(secret).into_bytes()).collect()
}
