//! Frames that are none.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use zegel_proto::{
    MAX_FRAME, Message as _,
    v1::{self, server_frame as tell},
};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Frame, SOON, Stage, Stranger, WAIT, device_of, until},
};

fn noise(len: usize) -> Verdict<Vec<u8>> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// At the client.
pub const HOSTILE_CLIENT: Drill = Drill {
    name: "hostile-frames",
    attacker: Attacker::Network,
    attempt: "Somebody in the middle sends Bob's client noise, huge frames, answers nobody asked for, and mail that is none.",
    defence: "Foreign bytes are read with limits and never trusted: the client drops them or the connection, connects again, and misses nothing.",
    caught: "at once",
    run: |stage| Box::pin(at_the_client(stage)),
};

async fn at_the_client(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, bob) = stage.two_friends(&proxy).await?;
    let device = device_of(&bob)?;
    let deliver =
        |entry| Frame::push(tell::Body::Deliver(v1::Deliver { entries: vec![entry], ..Default::default() }));
    let told = |call, body| Frame::Down(v1::ServerFrame { call, body });
    let noisy = vec![
        told(77, Some(tell::Body::Submitted(v1::Submitted::default()))),
        told(0, None),
        told(u64::MAX, Some(tell::Body::Error(v1::Error { code: u32::MAX, ..Default::default() }))),
        Frame::RawDown(Message::text("a text")),
        Frame::RawDown(Message::Ping(noise(100)?.into())),
        deliver(v1::SealedEntry { seq: 0, hour_key: 1, sealed: Default::default() }),
        Frame::RawDown(Message::binary(noise(1000)?)),
        Frame::RawDown(Message::binary(vec![0xff; 64])),
        Frame::RawDown(Message::binary(vec![0; MAX_FRAME + 1])),
    ];
    for (number, frame) in noisy.into_iter().enumerate() {
        let mut sent = false;
        let began = until(WAIT, || {
            sent = sent || proxy.inject(&device, frame.clone());
            sent
        });
        carried_out(began.await, format!("hostile frame {number}"))?;
        let text = format!("after {number}");
        alice.sends(&text, "bob").await?;
        bob.still_reads(&text).await?;
    }
    bob.sends("all well", "alice").await?;
    alice.reads("all well").await?;
    let told: Vec<String> = bob.said_by("alice").into_iter().skip(1).collect();
    let honest: Vec<String> = (0..9).map(|number| format!("after {number}")).collect();
    held(told == honest, format!("Bob sees {told:?}"))?;
    held(bob.alarms().is_empty(), format!("alarms without need: {:?}", bob.alarms()))?;
    Ok("nine kinds of frames; every honest message after them is shown once and in order".into())
}

/// At the server.
pub const HOSTILE_SERVER: Drill = Drill {
    name: "hostile-calls",
    attacker: Attacker::Stranger,
    attempt: "A stranger sends the server noise, huge frames and calls that no client makes.",
    defence: "Frames are limited and refused with a code; one connection's garbage ends that connection only.",
    caught: "at once",
    run: |stage| Box::pin(at_the_server(stage)),
};

async fn at_the_server(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, bob) = stage.two_friends(&proxy).await?;
    let pid = stage.server(|server| server.pid());
    let hello = v1::ClientFrame {
        call: 1,
        body: Some(v1::client_frame::Body::Hello(v1::Hello {
            versions: vec![u32::MAX],
            ..Default::default()
        })),
    };
    let hostile: Vec<(&str, Message)> = vec![
        ("noise", Message::binary(noise(5000)?)),
        ("nothing", Message::binary(Vec::new())),
        ("a text", Message::text("DECRYPT 123")),
        ("a frame beyond the limit", Message::binary(vec![0; MAX_FRAME + 1])),
        ("a version that does not exist", Message::binary(hello.encode_to_vec())),
        ("a call before Hello", Message::binary(vec![8, 1, 0x9a, 1, 0])),
    ];
    let count = hostile.len();
    for (what, message) in hostile {
        let (mut socket, _) = connect_async(format!("ws://{}/v1/socket", stage.address())).await?;
        socket.send(message).await?;
        let answered = tokio::time::timeout(SOON, async {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Binary(bytes) = message {
                    let frame = v1::ServerFrame::decode(bytes).ok();
                    return !matches!(frame.and_then(|frame| frame.body), Some(tell::Body::Error(_)));
                }
            }
            false
        });
        let taken = answered.await.unwrap_or(true);
        held(!taken, format!("{what} is neither refused nor the end of the connection"))?;
    }
    held(stage.server(|server| server.pid()) == pid, "the server died")?;
    Stranger::connect(stage.address()).await?;
    alice.sends("still there?", "bob").await?;
    bob.still_reads("still there?").await?;
    Ok(format!("{count} kinds refused; other people's connections are untouched"))
}
