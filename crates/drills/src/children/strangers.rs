//! Coming to many, and asking about somebody.

use zegel_client::Policy;
use zegel_identity::Action;
use zegel_proto::{
    Address, Code, MAX_ADDS, Message as _, Token,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};

use super::scene::{Door, introduces, invite};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, code_of},
};

/// Somebody comes to everybody.
pub const MASS: Drill = Drill {
    name: "mass-of-requests",
    attacker: Attacker::Stranger,
    attempt: "With a changed client Mallory comes to more strangers than a day allows: one after the other, 256 in one submission, with made-up codes so that they look like no strangers, and from three accounts of the invite that was made for him.",
    defence: "All newcomers without a code count, for the person whose accounts those are, and what would be too many is refused as a whole. With a code that is not good one reaches nobody.",
    caught: "at once: he reaches as many as the rule says",
    run: |stage| Box::pin(mass(stage)),
};

async fn mass(stage: &Stage) -> Verdict {
    let a_day = u64::from(Policy::shipped().strangers.numbers.new_a_day);
    let mut town = Town::of(stage, 13).await?;

    let mut mallory = Stranger::member(stage.address(), &Keys::new("mallory")).await?;
    let mut refused = 0;
    for _ in 0..2 * a_day {
        refused += u64::from(is_refused(&introduces(&mut mallory, &town.some(1, 0).await?).await?)?);
    }
    for _ in 0..10 {
        let shown = town.some(0, 1).await?;
        carried_out(!is_refused(&introduces(&mut mallory, &shown).await?)?, "showing a made-up code")?;
    }
    let came = town.came().await?;
    held(came <= a_day, format!("one after the other he reached {came}, and not {a_day}"))?;
    carried_out((came, refused) == (a_day, a_day), format!("{came} were reached and {refused} refused"))?;
    let mut friend = Door::of(stage, "friend", AgeBand::Child).await?;
    let (at, code) = (friend.address().await?, friend.code().await?);
    introduces(&mut mallory, &[(at, Some(code))]).await?;
    carried_out(friend.came().await? == 1, "reaching somebody by a code when the day is spent")?;

    let mut at_once = Stranger::member(stage.address(), &Keys::new("crawler")).await?;
    let all = town.some(MAX_ADDS, 0).await?;
    held(is_refused(&introduces(&mut at_once, &all).await?)?, "all were taken in one submission")?;
    let came = town.came().await?;
    held(came == 0, format!("{came} were reached by a submission that was refused"))?;
    let mut with_codes = Stranger::member(stage.address(), &Keys::new("forger")).await?;
    let all = town.some(10, MAX_ADDS - 10).await?;
    carried_out(!is_refused(&introduces(&mut with_codes, &all).await?)?, "showing 246 made-up codes")?;
    let came = town.came().await?;
    held(came <= 10, format!("he reached {came}, of whom he showed all but 10 made-up codes"))?;
    carried_out(came == 10, format!("reaching {came} and not 10 without a code"))?;

    let invite = invite(stage, &["--for-one", "--uses", "3"])?;
    for handle in ["first", "second", "third"] {
        let keys = Keys { invite: invite.clone(), ..Keys::new(handle) };
        let mut account = Stranger::member(stage.address(), &keys).await?;
        for _ in 0..a_day {
            introduces(&mut account, &town.some(1, 0).await?).await?;
        }
    }
    let came = town.came().await?;
    held(came <= a_day, format!("with three accounts he reached {came}, and not {a_day}"))?;
    carried_out(came == a_day, format!("reaching {came} with three accounts"))?;
    Ok(format!(
        "{a_day} a day in every way, and none by made-up codes; who gave a code is reached all the same"
    ))
}

/// Whether a submission was refused as too many strangers; that it was refused for nothing else.
fn is_refused(answer: &tell::Body) -> Verdict<bool> {
    match code_of(answer) {
        None => Ok(false),
        Some(Code::RateLimited) => Ok(true),
        Some(_) => Err(Failure::NotRun(format!("an introduction: {answer:?}"))),
    }
}

/// Adults to come to.
struct Town(Vec<Door>);

impl Town {
    async fn of(stage: &Stage, people: usize) -> Verdict<Self> {
        let mut doors = Vec::new();
        for number in 0..people {
            doors.push(Door::of(stage, &format!("person{number}"), AgeBand::Adult).await?);
        }
        Ok(Self(doors))
    }

    /// Addresses to come to, some with no code and some with a made-up one.
    async fn some(&mut self, bare: usize, made_up: usize) -> Verdict<Vec<(Address, Option<Token>)>> {
        let mut some = Vec::new();
        for number in 0..bare + made_up {
            self.0.rotate_left(1);
            let at = self.0[0].address().await?;
            some.push((at, (number >= bare).then(Token::random)));
        }
        Ok(some)
    }

    /// How many introductions were delivered since this was last asked.
    async fn came(&mut self) -> Verdict<u64> {
        let mut came = 0;
        for door in &mut self.0 {
            came += door.came().await?;
        }
        Ok(came)
    }
}

/// Somebody asks for everything about a handle.
pub const LOOKUP: Drill = Drill {
    name: "minors-by-lookup",
    attacker: Attacker::Stranger,
    attempt: "Mallory has a list of handles and asks for everything that the service tells of them, to pick out the children, those who have a guardian, and those who blocked him.",
    defence: "An age, a guardian and a block stand in the account's row and in no answer to others: keys are given out and introductions taken alike, whatever becomes of them.",
    caught: "there is nothing to catch: all answers have the same fields and sizes",
    run: |stage| Box::pin(by_lookup(stage)),
};

async fn by_lookup(stage: &Stage) -> Verdict {
    let keys = Keys::new("mallory");
    let mut mallory = Stranger::member(stage.address(), &keys).await?;
    let mut doors = Vec::new();
    // Handles of one length. A proof of the directory's is as long as its place is deep, which is chance.
    for (handle, band) in [
        ("anna", AgeBand::Adult),
        ("bert", AgeBand::Adult),
        ("cody", AgeBand::Child),
        ("dirk", AgeBand::Child),
        ("tess", AgeBand::Teen),
        ("unna", AgeBand::Unknown),
        ("zora", AgeBand::Adult),
    ] {
        doors.push(Door::of(stage, handle, band).await?);
    }
    doors[1].blocks(&keys.account, false).await?;
    let guardian = v1::SetGuardian { hash: vec![7; 32].into(), ..Default::default() };
    let linked = doors[3].wire.call(ask::Body::SetGuardian(guardian)).await?;
    carried_out(code_of(&linked).is_none(), format!("linking a guardian: {linked:?}"))?;
    // Where there are other devices, there is another answer: so the comparison can see one.
    let zora = &mut doors[6];
    let tablet = Keys::device_of(zora.keys.account, "zora");
    let head = zegel_identity::Chain::verify(&zora.wire.links("zora").await?)?.head();
    zora.wire.append(zora.keys.sign(head, Action::AddDevice(tablet.info()))).await?;

    let mut answers = Vec::new();
    for door in &mut doors {
        stage.proven(&door.keys.handle).await?;
        answers.push(all_about(&mut mallory, door).await?);
    }
    let mut came = Vec::new();
    for door in &mut doors {
        came.push(door.came().await?);
    }
    carried_out(came == [1, 0, 0, 0, 0, 0, 1], format!("reaching two adults and nobody else: {came:?}"))?;
    carried_out(answers[0] != answers[6], "telling somebody with two devices from somebody with one")?;
    let names = ["who blocked him", "a child", "a child with a guardian", "a teen", "who said no age"];
    for (who, about) in names.into_iter().zip(&answers[1..6]) {
        let differs = answers[0].iter().zip(about).find(|(adult, other)| adult != other);
        held(answers[0] == *about, format!("{who} is told from an adult by {differs:?}"))?;
    }
    Ok(format!("{} answers about each of six, alike in fields and sizes", answers[0].len()))
}

/// What the service answers, as fields and sizes: nothing in it is a name or random.
async fn all_about(by: &mut Stranger, door: &mut Door) -> Verdict<Vec<String>> {
    let (account, handle) = (door.keys.account.to_field(), door.keys.handle.clone());
    let mut answers = Vec::new();
    for fetch in [
        v1::FetchAccount { handle: handle.clone(), ..Default::default() },
        v1::FetchAccount { account: account.clone(), ..Default::default() },
    ] {
        answers.push(match by.call(ask::Body::FetchAccount(fetch)).await? {
            tell::Body::Account(answer) => {
                // Each link is as its owner's device made and signed it.
                let links = answer.chain.len();
                let rest = (answer.root.is_some(), answer.lookup.is_empty(), answer.promise.is_some());
                let names = (answer.account.len(), answer.handle.len());
                format!("account: {names:?}, {links} links, proof {rest:?}")
            }
            other => format!("{other:?}"),
        });
    }
    let history = v1::FetchHistory { handle, most_recent: 0 };
    answers.push(match by.call(ask::Body::FetchHistory(history)).await? {
        tell::Body::History(answer) => {
            format!("history: {:?}", (answer.root.is_some(), answer.history.is_empty()))
        }
        other => format!("{other:?}"),
    });
    // One more than there are.
    for _ in 0..=zegel_proto::KEY_PACKAGE_STOCK {
        let fetch = v1::FetchKeyPackages { accounts: vec![account.clone()] };
        answers.push(sized(&by.call(ask::Body::FetchKeyPackages(fetch)).await?));
    }
    let at = door.address().await?;
    let (address, tag) = (at.to_field(), vec![7; 32].into());
    let bind = v1::BindAddress { address: address.clone(), tag };
    answers.push(sized(&by.call(ask::Body::BindAddress(bind)).await?));
    answers.push(sized(&introduces(by, &[(at, None)]).await?));
    let accept = v1::AcceptAddress { address: address.clone(), tag: vec![7; 32].into() };
    answers.push(sized(&by.call(ask::Body::AcceptAddress(accept)).await?));
    let delete = v1::DeleteAddresses { addresses: vec![address], declined: account.clone() };
    answers.push(sized(&by.call(ask::Body::DeleteAddresses(delete)).await?));
    let end = v1::EndBinding { address: at.to_field(), tag: vec![7; 32].into() };
    answers.push(sized(&by.call(ask::Body::EndBinding(end)).await?));
    let block = v1::Block { account, lift: true };
    answers.push(sized(&by.call(ask::Body::Block(block)).await?));
    Ok(answers)
}

/// An answer's kind and size; of a refusal, what it says.
fn sized(answer: &tell::Body) -> String {
    match answer {
        tell::Body::Error(error) => format!("{error:?}"),
        other => {
            let kind = format!("{other:?}");
            let kind = kind.split('(').next().unwrap_or_default().to_owned();
            let frame = v1::ServerFrame { call: 0, body: Some(other.clone()) };
            format!("{kind}: {} bytes", frame.encoded_len())
        }
    }
}
