//! Those who want to speak in the service's name.

use zegel_directory::Statement;
use zegel_proto::{
    Message as _,
    v1::{self, client_frame as ask, entry::Body, server_frame as tell},
};

use super::scene::{quarrel_behind, reports};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Operator, Passing, Person, SOON, Seat, Stage, account_of, pass, until},
};

const LIE: &str = "Your account is banned. Confirm your recovery phrase at appeals.example to lift it.";

fn not_shown(why: &str) -> String {
    format!(
        "Something came as a statement of the service and is not shown: it {why}. Somebody may have tried to speak in \
         the service's name; `decisions` shows what it really said."
    )
}

/// Whether something is shown as the service's word.
fn is_stated(person: &Person, text: &str) -> bool {
    person.lines().iter().any(|line| line.kind == "service" && line.text.contains(text))
}

/// Without the key.
pub const FORGED: Drill = Drill {
    name: "forged-statement",
    attacker: Attacker::Network,
    attempt: "Whoever can fill Bob's mailbox, or answer in the service's place, tells him as the service that he is banned and where to confirm his recovery phrase.",
    defence: "A statement is shown only if a key of the service's directory, which the client follows, signed it as a statement.",
    caught: "at once: Bob sees that somebody may have spoken in the service's name, and not the words",
    run: |stage| Box::pin(forged(stage)),
};

async fn forged(stage: &Stage) -> Verdict {
    let (_mallory, bob, office) = quarrel_behind(stage).await?;
    let real = Operator::of(stage)?;
    let impostor = Operator::impostor(&real.domain)?;
    let body = |number: u8| {
        let statement = v1::Statement {
            account: account_of(&bob)?.to_field(),
            case_number: "K7Q2M-4XN9P".into(),
            text: format!("{LIE} ({number})"),
            made_ms: crate::kit::now_ms(),
            measure: "ban".into(),
            language: "en".into(),
            ..Default::default()
        };
        Ok::<_, Failure>(statement.encode_to_vec())
    };
    let sign = |of: &Operator, what: Statement, body: Vec<u8>| {
        let signed = of.signer()?.sign_statement(&of.domain, what, &body);
        let (signer, signature) = (signed.signer, signed.signature.into());
        Ok::<_, Failure>(v1::SignedStatement { body: body.into(), signer, signature })
    };
    let bobs = office.watch(&bob).await?;
    // The last two are what the service itself signs for others than people.
    let mut unsigned = sign(&impostor, Statement::Notice, body(2)?)?;
    unsigned.signature = vec![0; 64].into();
    let lies = [
        sign(&impostor, Statement::Notice, body(1)?)?,
        unsigned,
        sign(&real, Statement::Evidence, body(3)?)?,
        sign(&real, Statement::Log, body(4)?)?,
    ];
    let line = not_shown("is not signed by the service's directory");
    for (count, lie) in lies.iter().enumerate() {
        bobs.put(Body::Statement(lie.clone()))?;
        let seen = || bob.texts("hidden").iter().filter(|text| **text == line).count() > count;
        let told = until(SOON, || seen() || is_stated(&bob, LIE)).await;
        held(!is_stated(&bob, LIE), "somebody else's words are shown as the service's")?;
        held(told, format!("Bob was not told {line:?}, but {:?}", bob.alarms()))?;
    }
    // The same as the answer to what he asks himself.
    let answer = sign(&impostor, Statement::Notice, body(5)?)?;
    office
        .proxy()
        .rule(move |passing: Passing| match passing.frame.told() {
            Some(tell::Body::Statements(_)) => {
                let statements = vec![answer.clone()];
                vec![passing.answer(tell::Body::Statements(v1::Statements { statements }))]
            }
            _ => pass(passing),
        })
        .await;
    let told = bob.client()?.statements().await?;
    held(told.is_empty() && !is_stated(&bob, LIE), "an answer with somebody else's words is taken")?;
    // One by the key itself is shown: the words are not what is refused.
    let true_word = sign(&real, Statement::Notice, body(6)?)?;
    bobs.put(Body::Statement(true_word))?;
    carried_out(until(SOON, || is_stated(&bob, "(6)")).await, "showing what the directory's key signed")?;
    Ok(format!(
        "none of {} is shown; Bob sees that it \"is not signed by the service's directory\"",
        lies.len() + 1
    ))
}

/// Somebody else's.
pub const MISDIRECTED: Drill = Drill {
    name: "misdirected-statement",
    attacker: Attacker::Network,
    attempt: "What the service truly stated to Mallory, with its signature, is put into Bob's mailbox and into the answer to his question.",
    defence: "What is signed names the account that it is for.",
    caught: "at once: Bob is told that it is for another account, and does not see the words",
    run: |stage| Box::pin(misdirected(stage)),
};

async fn misdirected(stage: &Stage) -> Verdict {
    let (mallory, bob, office) = quarrel_behind(stage).await?;
    let case = reports(&bob, &mallory, Vec::new()).await?.case_number;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    mia.decides(&case, "warn").await?;
    let answer = mallory.client()?.rogue_call(ask::Body::FetchStatements(v1::FetchStatements {})).await?;
    let tell::Body::Statements(told) = answer else { return Err("no statements were answered".into()) };
    let mallorys = told.statements.first().cloned().ok_or("Mallory was told nothing")?;
    let words = v1::Statement::decode(mallorys.body.clone())?.text;
    carried_out(until(SOON, || is_stated(&mallory, &words)).await, "Mallory reads the decision")?;
    carried_out(until(SOON, || is_stated(&bob, &case)).await, "Bob reads what became of the report")?;
    let before = bob.client()?.statements().await?.len();

    let bobs = office.watch(&bob).await?;
    bobs.put(Body::Statement(mallorys.clone()))?;
    let line = not_shown("is for another account");
    let told = until(SOON, || bob.texts("hidden").contains(&line) || is_stated(&bob, &words)).await;
    held(!is_stated(&bob, &words), "what was stated to Mallory is shown to Bob as his")?;
    held(told, format!("Bob was not told {line:?}, but {:?}", bob.alarms()))?;
    office
        .proxy()
        .rule(move |passing: Passing| match passing.frame.told() {
            Some(tell::Body::Statements(answer)) => {
                let mut statements = answer.statements.clone();
                statements.push(mallorys.clone());
                vec![passing.answer(tell::Body::Statements(v1::Statements { statements }))]
            }
            _ => pass(passing),
        })
        .await;
    let after = bob.client()?.statements().await?;
    held(after.len() == before && !is_stated(&bob, &words), "an answer with Mallory's statement is taken")?;
    Ok("Bob sees that something \"is for another account\", and what became of his report as before".into())
}
