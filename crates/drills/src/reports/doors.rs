//! Ways into the desk that are not the way in.

use super::scene::{Dispute, quarrel, reports, says};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Seat, Stage},
};

/// Curious.
pub const AUDITOR: Drill = Drill {
    name: "curious-auditor",
    attacker: Attacker::Desk,
    attempt: "An auditor, who is there for the log, opens a case, the queues and the evidence, and claims a case.",
    defence: "The store's row says what somebody is there for, and each page and each act is held against it; the log names no person and holds no content.",
    caught: "at once, and the log says so",
    run: |stage| Box::pin(auditor(stage)),
};

async fn auditor(stage: &Stage) -> Verdict {
    let (mallory, bob) = quarrel(stage).await?;
    let threat = says(&mallory, "bob", "I will hurt you").await?;
    let case = reports(&bob, &mallory, vec![threat.shown()?]).await?.case_number;
    let page = format!("/desk/case/{case}");
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let hers = mia.gets(&page).await?.text();
    carried_out(hers.contains("I will hurt you"), "a moderator reads the case")?;
    let ava = Seat::takes(stage, "auditor", "ava").await?;
    let mut seen = Vec::new();
    for path in [page.as_str(), "/desk/appeals", "/desk/decided", "/desk/closed"] {
        seen.push((path.to_owned(), ava.gets(path).await?));
    }
    for act in ["claim", "release", "ask-export", "allow-export", "evidence", "file"] {
        let path = format!("{page}/{act}");
        seen.push((path.clone(), ava.posts("/desk/log", &path, &[]).await?));
    }
    let count = seen.len();
    for (path, answer) in seen {
        let text = answer.text();
        held(answer.status == 403, format!("an auditor is answered {} at {path}", answer.status))?;
        held(
            !text.contains("hurt you") && !text.contains("mallory"),
            format!("{path} says what the case is about"),
        )?;
    }
    let log = ava.gets("/desk/log").await?.text();
    carried_out(log.contains("sign-in"), "an auditor reads the log")?;
    for secret in ["mallory", "bob", "hurt you"] {
        held(!log.contains(secret), format!("the log has {secret:?} in it"))?;
    }
    held(log.contains("see: your role may not do this"), "the log does not say what she tried")?;
    Ok(format!(
        "{count} of {count} pages and acts are refused; the log has the attempts, and no name or word of the case"
    ))
}

/// By somebody else's page.
pub const FOREIGN_FORM: Drill = Drill {
    name: "foreign-form",
    attacker: Attacker::Stranger,
    attempt: "A page somewhere else makes a moderator's browser, with its session, decide a case: without the form's token, with another session's, or with the right one.",
    defence: "A form carries a token of its session, and comes from a page of the desk by the browser's own word.",
    caught: "at once",
    run: |stage| Box::pin(foreign_form(stage)),
};

async fn foreign_form(stage: &Stage) -> Verdict {
    let case = Dispute::begins(stage).await?.case;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let sam = Seat::takes(stage, "senior", "sam").await?;
    let claim = format!("/desk/case/{case}/claim");
    let (own, others) = (mia.token("/desk").await?, sam.token("/desk").await?);
    let here = mia.page_headers();
    let elsewhere = |origin: &str, site: &str| format!("Origin: {origin}\r\nSec-Fetch-Site: {site}\r\n");
    let foreign = [
        ("without a token", "", here.clone()),
        ("with a token that was made up", &"5e".repeat(32), here.clone()),
        ("with another session's token", &others, here.clone()),
        ("from another site", &own, elsewhere("https://evil.example", "cross-site")),
        ("from a page without an origin", &own, elsewhere("null", "cross-site")),
        ("from a neighbour", &own, elsewhere("http://localhost:1", "same-site")),
        ("from another site in an old browser", &own, "Origin: https://evil.example\r\n".into()),
        ("from nowhere", &own, String::new()),
    ];
    let count = foreign.len();
    for (what, token, from) in foreign {
        let answer = mia.sends(&claim, &[("csrf", token)], &from).await?;
        held(answer.status == 403, format!("a form {what} is answered {}", answer.status))?;
    }
    let page = mia.gets(&format!("/desk/case/{case}")).await?.text();
    held(
        page.contains("<dt>Who works on it</dt><dd>nobody</dd>"),
        "a form of somebody else's was carried out",
    )?;
    let answer = mia.sends(&claim, &[("csrf", &own)], &here).await?;
    carried_out(answer.status == 303, format!("the desk's own form: {}", answer.text()))?;
    Ok(format!("{count} of {count} are refused, and nothing was done; the desk's own form is taken"))
}

/// Out, and in.
pub const REMOVED: Drill = Drill {
    name: "removed-moderator",
    attacker: Attacker::Desk,
    attempt: "A moderator who was removed goes on: with the session in her browser, with her passkey, and with her invitation's name.",
    defence: "Who somebody is is read from the store for every request; names are never given twice.",
    caught: "with her next click",
    run: |stage| Box::pin(removed(stage)),
};

async fn removed(stage: &Stage) -> Verdict {
    let case = Dispute::begins(stage).await?.case;
    let mut mia = Seat::takes(stage, "moderator", "mia").await?;
    let page = format!("/desk/case/{case}");
    let token = mia.token("/desk").await?;
    carried_out(mia.gets(&page).await?.status == 200, "reading the case")?;
    stage.server(|server| server.operator(&["desk-remove", "mia"]))?;
    held(mia.gets(&page).await?.asks_to_sign_in(), "her session goes on")?;
    let claim = mia.sends(&format!("{page}/claim"), &[("csrf", &token)], &mia.page_headers()).await?;
    held(claim.asks_to_sign_in(), format!("her forms are answered {}", claim.status))?;
    let entered = mia.signs_in().await?;
    held(entered.status == 403, format!("her passkey is answered {}", entered.status))?;
    let again = stage.server(|server| server.operator(&["desk-invite", "moderator", "--name", "mia"]));
    held(again.is_err(), "her name is given to somebody else")?;
    let sam = Seat::takes(stage, "senior", "sam").await?;
    let text = sam.gets(&page).await?.text();
    held(text.contains("<dt>Who works on it</dt><dd>nobody</dd>"), "she claimed the case")?;
    Ok("each request leads to the sign-in page, and her passkey is not accepted".into())
}
