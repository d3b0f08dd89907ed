//! Lists of devices that their owner did not write.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_identity::{Action, Chain, SignedLink, Signer, sign_link};
use zegel_proto::{
    Code,
    v1::{client_frame as ask, server_frame as tell},
};

use super::keys::{Counted, count_submissions};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{
        Keys, Passing, Proxy, Stage, Stranger, code_of,
        mls::{SUITE, key_package},
        pass,
    },
};

/// The operator lists a device.
pub const ADDED_GHOST: Drill = Drill {
    name: "added-ghost-device",
    attacker: Attacker::State,
    attempt: "Ordered to listen in, the operator adds a device of its own to the list of Bob's devices, so that Alice's client encrypts for it too.",
    defence: "Each link of the list is signed by a device that is on it, or by the recovery key; the operator has neither.",
    caught: "at once: nothing is sent",
    run: |stage| Box::pin(added_ghost(stage)),
};

async fn added_ghost(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let bob = stage.person("bob").await?;
    let alice = crate::kit::Person::registers("alice", &proxy.url()).await?;
    let mut stranger = Stranger::connect(stage.address()).await?;
    let links = stranger.links("bob").await?;
    let chain = Chain::verify(&links)?;
    let ghost = Keys::device_of(chain.account(), "bob");
    let owner = chain.devices().next().ok_or("bob has no device")?.id;
    let listing = || Action::AddDevice(ghost.info());
    let by = |signer| sign_link(chain.account(), chain.head(), 0, listing(), signer, &ghost.key);
    let attempts = [
        (by(Signer::Device(owner)), "the signature is wrong"),
        (by(Signer::Recovery), "the signature is wrong"),
        (by(Signer::Device(ghost.device)), "the signer is not a device that the chain lists"),
    ];
    for (link, cause) in attempts {
        let forged = [links.clone(), vec![link]].concat();
        let counted = serve_chain(&proxy, "bob", forged).await;
        let error = match alice.client()?.send("bob", "hello").await {
            Err(error) => error.to_string(),
            Ok(_) => return Err(Failure::Succeeded("Alice wrote to Bob's devices and the ghost".into())),
        };
        carried_out(counted.changed() > 0, "a changed list of devices")?;
        held(error.contains(cause), format!("the list is refused for another reason: {error}"))?;
        held(counted.submitted() == 0, "something was sent all the same")?;
    }
    proxy.rule(pass).await;
    alice.sends("hello bob", "bob").await?;
    bob.accepts("alice").await?;
    bob.reads("hello bob").await?;
    Ok("three forged lists, each refused for its signature; nothing was sent".into())
}

/// Puts another chain into every answer about a handle's account.
async fn serve_chain(proxy: &Proxy, handle: &'static str, links: Vec<SignedLink>) -> Counted {
    let counted = Counted::default();
    let (changed, submitted) = (counted.changed.clone(), counted.submitted.clone());
    proxy
        .rule(move |mut passing: Passing| {
            count_submissions(&passing, &submitted);
            if let crate::kit::Frame::Down(frame) = &mut passing.frame
                && let Some(tell::Body::Account(answer)) = &mut frame.body
                && answer.handle == handle
            {
                answer.chain = links.iter().cloned().map(Into::into).collect();
                changed.fetch_add(1, Relaxed);
            }
            pass(passing)
        })
        .await;
    counted
}

/// A revoked device tries to come back.
pub const REVOKED_RETURNS: Drill = Drill {
    name: "revoked-device-returns",
    attacker: Attacker::ExMember,
    attempt: "A thief has Bob's telephone, which Bob revoked. It connects, lists itself again, and a false server hands out that list and its keys.",
    defence: "What was revoked signs nothing any more and is never listed again; server and clients hold the list to the same rules.",
    caught: "at once",
    run: |stage| Box::pin(revoked_returns(stage)),
};

async fn revoked_returns(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = crate::kit::Person::registers("alice", &proxy.url()).await?;
    let laptop = Keys::new("bob");
    let stolen = Keys::device_of(laptop.account, "bob");
    let mut bob = Stranger::member(stage.address(), &laptop).await?;
    let head = |links: &[SignedLink]| Chain::verify(links).map(|chain| chain.head());

    let first = bob.links("bob").await?;
    let listed = bob.append(laptop.sign(head(&first)?, Action::AddDevice(stolen.info()))).await?;
    carried_out(code_of(&listed).is_none(), format!("listing the telephone: {listed:?}"))?;
    let mut thief = Stranger::connect(stage.address()).await?;
    let connected = thief.authenticate(&stolen).await?;
    carried_out(code_of(&connected).is_none(), "the telephone works before it is revoked")?;
    let second = bob.links("bob").await?;
    let revoked = bob.append(laptop.sign(head(&second)?, Action::RevokeDevice(stolen.device))).await?;
    carried_out(code_of(&revoked).is_none(), format!("revoking the telephone: {revoked:?}"))?;
    let links = bob.links("bob").await?;

    // The real server.
    let again = stolen.sign(head(&links)?, Action::AddDevice(stolen.info()));
    let own = laptop.sign(head(&links)?, Action::AddDevice(stolen.info()));
    let renamed = Keys {
        device: zegel_proto::DeviceId::random(),
        key: stolen.key.clone(),
        ..Keys::device_of(laptop.account, "bob")
    };
    let renamed = laptop.sign(head(&links)?, Action::AddDevice(renamed.info()));
    for (link, what) in [(&again, "itself"), (&own, "by its owner"), (&renamed, "under another id")] {
        let answer = bob.append(link.clone()).await?;
        held(code_of(&answer) == Some(Code::BadChain), format!("a revoked device is listed again, {what}"))?;
    }
    let mut thief = Stranger::connect(stage.address()).await?;
    let refused = code_of(&thief.authenticate(&stolen).await?);
    held(refused == Some(Code::AuthFailed), "a revoked device connects")?;

    // A false server.
    for (link, cause) in [
        (again, "the signer is not a device that the chain lists"),
        (own, "the device or its key was listed before; a revoked device cannot come back"),
    ] {
        let forged = [links.clone(), vec![link]].concat();
        let counted = serve_chain(&proxy, "bob", forged).await;
        let error = alice.client()?.send("bob", "hello").await.err().map(|error| error.to_string());
        carried_out(counted.changed() > 0, "a changed list of devices")?;
        let error = error.unwrap_or_default();
        held(error.contains(cause), format!("a revoked device is taken for Bob's: {error}"))?;
    }
    let names = (laptop.account, stolen.device);
    let (package, _) = key_package(&stolen, names, SUITE, (-1, 50))?;
    let handed = Arc::new(AtomicUsize::new(0));
    let count = handed.clone();
    let (owner, device) = (laptop.account.to_field(), stolen.device.to_field());
    proxy
        .rule(move |passing: Passing| match passing.asked {
            Some(ask::Body::FetchKeyPackages(_)) => {
                count.fetch_add(1, Relaxed);
                let (account, device) = (owner.clone(), device.clone());
                let package = zegel_proto::v1::DeviceKeyPackage {
                    account,
                    device,
                    key_package: package.clone().into(),
                };
                let answer = zegel_proto::v1::KeyPackagesAnswer { packages: vec![package] };
                vec![passing.answer(tell::Body::KeyPackages(answer))]
            }
            _ => pass(passing),
        })
        .await;
    let error = alice.client()?.send("bob", "hello").await.err().map(|error| error.to_string());
    carried_out(handed.load(Relaxed) > 0, "handing out the revoked device's keys")?;
    held(
        error.is_some_and(|error| error.contains("the service gave no usable keys for them")),
        "Alice encrypts for a revoked device",
    )?;
    Ok("refused by the server four times, and by Alice's client as link and as key package".into())
}
