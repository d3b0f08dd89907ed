//! Writes fuzz/seeds anew: valid inputs to start from. Run it when a format gains something:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::error::Error;
use std::fs;
use std::path::Path;

use zegel_content::{
    Asked, Contacts, Content, Disposition, Event, Expires, External, Fact, Facts, GUARDIAN_TYPE, Guardian,
    LastSeen, MessageId, Older, Part, Semantics,
};
use zegel_directory::publisher::{MemoryRecords, Publisher, VrfKey};
use zegel_directory::{Entry, Label, Promise, Root, SignedRoot, SignerKey, skip_of};
use zegel_franking::{Context, StampKey, ZERO_TAG, franking_tag, stamp};
use zegel_identity::{Action, DeviceInfo, QUEUE_KEY_LEN, SignedLink, Signer, SigningKey, sign_link};
use zegel_proto::{AccountId, DeviceId, Message, v1};
use zegel_safety::Policy;

type Done = Result<(), Box<dyn Error>>;

const ALICE: &str = "mimi://example.org/u/alice";
const ROOM: &str = "mimi://example.org/r/00112233445566778899aabbccddeeff";

fn main() -> Done {
    mls_heads()?;
    contents()?;
    seed("franking_context", "context", &context().to_bytes())?;
    sigchains()?;
    client_frames()?;
    server_frames()?;
    entries()?;
    reports()?;
    websocket()?;
    group_facts()?;
    guardians()?;
    seed("safety_rules", "shipped", Policy::shipped_text().as_bytes())?;
    directory()
}

/// A masked binary frame behind the byte that says how to cut it.
fn websocket() -> Done {
    seed(
        "websocket",
        "binary",
        &[3, 0x82, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1],
    )?;
    seed("websocket", "ping", &[1, 0x89, 0x80, 0, 0, 0, 0])
}

/// {"version": 1, "direct": false, "name": "club", "admins": [account]}
fn group_facts() -> Done {
    let mut cbor = vec![0xa4];
    cbor.extend(b"\x67version\x01\x66direct\xf4\x64name\x64club\x66admins\x81\x90");
    cbor.extend([1; 16]);
    seed("group_facts", "group", &cbor)
}

fn guardians() -> Done {
    let people = vec!["carol".to_owned()];
    let facts = Facts::new("carol", [Fact::NewAccount, Fact::Via("bob".into())]);
    let ask = |what| Guardian::Ask { id: [1; 16], what, facts: facts.clone() };
    for (name, said) in [
        ("link", Guardian::Link { as_child: true }),
        ("key", Guardian::Key { hash: [1; 32] }),
        ("contact", ask(Asked::Contact { handle: "carol".into() })),
        ("group", ask(Asked::Group { name: "club".into(), people: people.clone() })),
        ("age", ask(Asked::Age { band: Older::Teen })),
        ("answer", Guardian::Answer { id: [1; 16], allow: true, secret: Some([2; 32]), next: None }),
        ("contacts", Guardian::Contacts(Contacts { groups: vec!["club".into()], people, more: 1 })),
        ("end", Guardian::End { secret: None }),
    ] {
        seed("guardian", name, &said.encode()?)?;
        let content = Content::of_type([0; 16], ALICE, ROOM, 1, GUARDIAN_TYPE, said.encode()?);
        seed("content", &format!("guardian-{name}"), &content.encode()?)?;
    }
    Ok(())
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Done {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)?;
    Ok(())
}

/// MLSMessage(PrivateMessage) with nothing but its head that means something.
fn mls_message(content_type: u8, authenticated_data: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut message = vec![0, 1, 0, 2, 32];
    message.extend([9; 32]);
    message.extend(5u64.to_be_bytes());
    message.push(content_type);
    message.push(u8::try_from(authenticated_data.len())?);
    message.extend(authenticated_data);
    message.extend([2, 1, 1, 0x40, 0x40]);
    message.extend([3; 64]);
    Ok(message)
}

fn application() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut tag = vec![35, 0, 0x20, 32];
    tag.extend([7; 32]);
    mls_message(1, &tag)
}

fn mls_heads() -> Done {
    seed("mls_head", "application", &application()?)?;
    seed("mls_head", "commit", &mls_message(3, &[0])?)
}

fn contents() -> Done {
    let text = Content::text([1; 16], ALICE, ROOM, 1_700_000_000_000, "hello");
    seed("content", "text", &text.encode()?)?;
    seed("content", "leave", &Content::event([2; 16], ALICE, ROOM, 1, Event::Leave).encode()?)?;

    let deletion = Content {
        replaces: Some(MessageId([4; 32])),
        part: Part {
            disposition: Disposition::Render,
            language: String::new(),
            body: zegel_content::Body::Null,
        },
        ..text.clone()
    };
    seed("content", "deletion", &deletion.encode()?)?;

    let file = External {
        content_type: "image/png".into(),
        url: "https://example.org/b/1".into(),
        expires: 9,
        size: 1 << 20,
        enc_alg: 1,
        key: vec![5; 16],
        nonce: vec![6; 12],
        aad: Vec::new(),
        hash_alg: 1,
        content_hash: vec![7; 32],
        description: "a cat".into(),
        filename: "cat.png".into(),
    };
    let file = Part {
        disposition: Disposition::Attachment,
        language: "en".into(),
        body: zegel_content::Body::External(Box::new(file)),
    };
    let everything = Content {
        topic: vec![8; 4],
        expires: Some(Expires { relative: true, time: 3600 }),
        in_reply_to: Some(MessageId([4; 32])),
        last_seen: Some(LastSeen { server_seq: 77, stamp_hash: [9; 32] }),
        forward_count: 2,
        part: Part {
            disposition: Disposition::Render,
            language: String::new(),
            body: zegel_content::Body::Multi {
                semantics: Semantics::ProcessAll,
                parts: vec![text.part.clone(), file],
            },
        },
        ..text
    };
    seed("content", "everything", &everything.encode()?)
}

fn context() -> Context {
    Context {
        key_id: 1,
        sender_account: [1; 16],
        sender_device: [2; 16],
        room: [3; 32],
        epoch: 5,
        server_seq: 77,
        accepted_ms: 1_700_000_000_000,
        franking_tag: [4; 32],
        message_hash: [5; 32],
        prev_stamp_hash: [6; 32],
    }
}

fn chain() -> Vec<SignedLink> {
    let account = AccountId([1; 16]);
    let keys = [[1; 32], [2; 32], [3; 32]].map(|seed| SigningKey::from_bytes(&seed));
    let device =
        |n: u8, key: &SigningKey| DeviceInfo::new(&account, DeviceId([n; 16]), key, vec![n; QUEUE_KEY_LEN]);
    let create = Action::Create {
        handle: "alice".into(),
        app: "zegel".into(),
        domain: "example.org".into(),
        device: device(1, &keys[0]),
        recovery: keys[2].verifying_key().to_bytes(),
    };
    let first = Signer::Device(DeviceId([1; 16]));
    let steps = [
        (create, first, &keys[0]),
        (Action::AddDevice(device(2, &keys[1])), first, &keys[0]),
        (Action::RevokeDevice(DeviceId([2; 16])), first, &keys[0]),
        (Action::RotateRecovery([8; 32]), Signer::Recovery, &keys[2]),
    ];
    let mut links: Vec<SignedLink> = Vec::new();
    for (action, signer, key) in steps {
        let after = links.last().map_or((0, [0; 32]), |last| (links.len() as u64, last.hash()));
        links.push(sign_link(account, after, 1_700_000_000_000, action, signer, key));
    }
    links
}

fn sigchains() -> Done {
    for (n, link) in chain().into_iter().enumerate() {
        seed("sigchain_link", &format!("link-{n}"), &link.body)?;
    }
    let chain = chain().into_iter().map(v1::SigchainEntry::from).collect();
    let answer = v1::AccountAnswer {
        account: vec![1; 16].into(),
        handle: "alice".into(),
        chain,
        ..Default::default()
    };
    seed("sigchain", "four-links", &answer.encode_to_vec())
}

fn stamped() -> v1::Stamped {
    v1::Stamped { context: context().to_bytes().to_vec().into(), stamp: vec![7; 32].into() }
}

fn client_frames() -> Done {
    use v1::client_frame::Body;
    let frame = |call, body| v1::ClientFrame { call, body: Some(body) }.encode_to_vec();
    let hello = v1::Hello { versions: vec![1], capabilities: vec!["x".into()], agent: "seed".into() };
    seed("client_frame", "hello", &frame(1, Body::Hello(hello)))?;
    let submit = v1::Submit {
        submission_id: vec![1; 16].into(),
        group_id: vec![9; 32].into(),
        epoch: 5,
        token: vec![2; 32].into(),
        message: application()?.into(),
        next_token_hash: vec![3; 32].into(),
        addresses: vec![vec![4; 16].into(), vec![5; 16].into()],
        welcome: Some(v1::WelcomeOut {
            welcome: vec![6; 64].into(),
            newcomers: vec![v1::Newcomer { address: vec![7; 16].into(), token: vec![8; 16].into() }],
            tree_blob: vec![9; 16].into(),
        }),
        first: application()?.into(),
    };
    seed("client_frame", "submit", &frame(2, Body::Submit(submit)))?;
    let entry = chain().into_iter().next().map(v1::SigchainEntry::from);
    let register = v1::Register { app: "zegel".into(), handle: "alice".into(), entry, ..Default::default() };
    seed("client_frame", "register", &frame(3, Body::Register(register)))
}

fn server_frames() -> Done {
    use v1::server_frame::Body;
    let frame = |call, body| v1::ServerFrame { call, body: Some(body) }.encode_to_vec();
    let error = v1::Error { code: 7, message: "try again".into(), head_epoch: 6, retry_after_ms: 1000 };
    seed("server_frame", "error", &frame(1, Body::Error(error)))?;
    let submitted = v1::Submitted { stamps: vec![stamped(), stamped()] };
    seed("server_frame", "submitted", &frame(2, Body::Submitted(submitted)))?;
    let deliver = v1::Deliver {
        hour_keys: vec![v1::HourKey { id: 1, encapsulated: vec![1; 64].into(), sealed: vec![2; 48].into() }],
        entries: vec![v1::SealedEntry { seq: 1 << 40, hour_key: 1, sealed: vec![3; 284].into() }],
        payloads: vec![v1::SharedPayload { name: vec![4; 16].into(), sealed: vec![5; 64].into() }],
    };
    seed("server_frame", "deliver", &frame(0, Body::Deliver(deliver)))
}

fn entries() -> Done {
    use v1::entry::Body;
    let entry = |body| v1::Entry { body: Some(body), padding: vec![0; 32].into() }.encode_to_vec();
    let message = v1::Message {
        stamped: Some(stamped()),
        message: application()?.into(),
        shared: Some(v1::Shared { name: vec![1; 16].into(), key: vec![2; 32].into() }),
        group_id: vec![9; 32].into(),
    };
    seed("entry", "message", &entry(Body::Message(message)))?;
    let introduction = v1::Introduction {
        origin: Some(stamped()),
        welcome: vec![3; 64].into(),
        facts: Some(v1::SenderFacts { handle: "alice".into(), ..Default::default() }),
        ..Default::default()
    };
    seed("entry", "introduction", &entry(Body::Introduction(introduction)))?;
    let confirmation = v1::Confirmation { submission_id: vec![1; 16].into(), stamps: vec![stamped()] };
    seed("entry", "confirmation", &entry(Body::Confirmation(confirmation)))
}

/// Messages with true stamps of the key that the fuzz target has: said, withheld, missing, a commit, said elsewhere.
fn reports() -> Done {
    let key = StampKey::new([9; 32]);
    let said =
        |n: u8| Content::text([n; 16], ALICE, ROOM, 1_700_000_000_000, format!("message {n}")).encode();
    let (mut run, mut before) = (Vec::new(), context());
    for (n, tagged, disclosed) in
        [(1, true, true), (2, true, false), (3, true, true), (4, false, false), (5, true, true)]
    {
        let content = said(n)?;
        let tag = if tagged { franking_tag(&[n; 16], &content) } else { ZERO_TAG };
        let context = Context {
            server_seq: before.server_seq + 1,
            franking_tag: tag,
            prev_stamp_hash: before.hash(),
            room: if n == 5 { [33; 32] } else { before.room },
            ..before
        };
        let stamped = v1::Stamped {
            context: context.to_bytes().to_vec().into(),
            stamp: stamp(&key, &context).to_vec().into(),
        };
        let content = if disclosed { content } else { Vec::new() };
        run.push(v1::Disclosed { stamped: Some(stamped), content: content.into() });
        before = context;
    }
    let report = |run: &[v1::Disclosed]| {
        let category = v1::ReportCategory::Harassment.into();
        v1::Report {
            id: vec![1; 16].into(),
            category,
            about: vec![1; 16].into(),
            run: run.to_vec(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    seed("report", "one", &report(&run[..1]))?;
    seed("report", "run", &report(&run))?;
    run.remove(1);
    run.rotate_left(1);
    seed("report", "moved", &report(&run))
}

/// A handle that changed once, its proofs under the newest root, and the way from there to the first root.
fn directory() -> Done {
    const DOMAIN: &str = "example.org";
    let key = SignerKey::first(SigningKey::from_bytes(&[1; 32]));
    let label = Label::of(DOMAIN, "alice");
    let entry = |len| Entry { account: AccountId([1; 16]), len, head: [2; 32], ended: false };
    seed("directory_root", "entry", &entry(1).to_bytes())?;
    let promise = Promise { label, entry: entry(2), by_epoch: 3, made_ms: 4 }.sign(DOMAIN, &key);
    seed("directory_root", "promise", &v1::SignedPromise::from(&promise).encode_to_vec())?;

    let (store, mut roots) = (MemoryRecords::default(), Vec::<SignedRoot>::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let publisher = Publisher::open(store.clone(), VrfKey::new([7; 32]), 1 << 20).await?;
        let mut before = publisher.tree().await?.1;
        for epoch in 0..=3u64 {
            if epoch > 0 {
                let other = |n: u64| (Label::of(DOMAIN, &format!("other{n}")), entry(1));
                let updates = [(label, entry(epoch)), other(epoch), other(epoch + 10)];
                let Some(mut prepared) = publisher.publish(updates.into()).await? else { continue };
                let audit = [&epoch.to_be_bytes()[..], &before, &prepared.tree, &prepared.proof].concat();
                before = prepared.tree;
                seed("directory_audit", &format!("epoch-{epoch}"), &audit)?;
                store.apply(std::mem::take(&mut prepared.records));
                prepared.commit();
            }
            let place = match roots.last() {
                None => Root::FIRST,
                Some(last) => last.root.next(roots[skip_of(epoch) as usize].root.hash()),
            };
            let time_ms = 1_700_000_000_000 + epoch;
            let root = Root { time_ms, tree: before, vrf: publisher.vrf_public(), ..place };
            roots.push(SignedRoot::sign(DOMAIN, root, &key));
        }
        let newest = roots.last().ok_or("no root")?;
        let head = [newest.root.to_bytes(), label.0.to_vec()].concat();
        let looked = publisher.lookup(&label).await?.ok_or("no entry")?;
        seed("directory_lookup", "alice", &[head.clone(), looked.proof].concat())?;
        for asked in [None, Some(1)] {
            let (_, proof) = publisher.history(&label, asked).await?.ok_or("no entry")?;
            let name = asked.map_or("complete", |_| "newest");
            let asked = asked.map_or(0, |most| most as u8 + 1);
            seed("directory_history", name, &[head.clone(), vec![asked], proof].concat())?;
        }
        let answer = v1::RootAnswer {
            root: Some(newest.into()),
            path: vec![roots[2].root.to_bytes().into()],
            signers: key.links().iter().map(v1::DirectorySigner::from).collect(),
            domain: DOMAIN.into(),
        };
        seed("directory_root", "answer", &answer.encode_to_vec())?;
        seed("directory_root", "root", &newest.root.to_bytes())
    })
}
