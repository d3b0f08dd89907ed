//! Ages: what an age band means for its owner, and changing it.

use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;
use zegel_client::{
    AgeBand, Client, Me, Outcome,
    safety::{Language, band_word},
};

use crate::{args::Age, commands::done, contacts, fail::Fail, guardian, out::Out, read::catch_up};

/// One line: the band.
pub fn says(me: &Me) -> String {
    match me.age {
        AgeBand::Unknown => "Age: not said, so protected like a child.".into(),
        known => format!("Age: {}.", band_word(known, Language::English)),
    }
}

/// What follows from it.
pub fn follows(me: &Me) -> Vec<String> {
    const REACHED: &str = "Strangers cannot reach you. You are reached by people whom you write to, by somebody for whom \
                           a friend of yours vouches, and with a contact code of yours: `zegel code`.";
    const HELP: &str = "If something here makes you uneasy: `zegel safety help` shows who helps, and nobody sees that you \
                        looked.";
    let text: &[&str] = match me.age {
        AgeBand::Child => &[
            REACHED,
            "Somebody who looks after you can become your guardian: you both type `zegel guardian link` with each other's \
             name.",
            HELP,
        ],
        AgeBand::Teen => &[REACHED, HELP],
        AgeBand::Adult => &[],
        AgeBand::Unknown => &[
            "You did not say how old you are, so you are protected like a child, and can write to fewer strangers a day.",
            REACHED,
            "To say later that you are older, you need an invite from the service: `zegel age adult --invite CODE`.",
            HELP,
        ],
    };
    text.iter().map(|row| (*row).to_owned()).collect()
}

/// The band, and what follows from it.
pub async fn show(client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let me = client.whoami();
    if out.is_json() {
        return out.object(&json!({"age": band_word(me.age, Language::English), "guardian": me.guardian}));
    }
    out.plain(&says(&me))?;
    guardian::line(out, &me)?;
    follows(&me).iter().try_for_each(|row| out.plain(row))
}

/// Another band.
pub async fn change(band: Age, invite: Option<&str>, client: &Client, out: &mut Out) -> Result<(), Fail> {
    let name = band.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    match client.change_age(band.into(), invite).await? {
        Outcome::Done => {
            let text = match band {
                Age::Adult => "You are an adult here now.".to_owned(),
                Age::Teen => "You are a teen here now: strangers cannot reach you. To become an adult again you need an \
                              invite from the service."
                    .to_owned(),
                Age::Child => "You are a child here now: strangers cannot reach you, and somebody who looks after you can \
                               become your guardian: `zegel guardian link`. To become older again you need an invite \
                               from the service, or a guardian who allows it."
                    .to_owned(),
            };
            done(out, "age", &name, &text)
        }
        Outcome::AskedGuardian(guardian) => {
            let text = format!(
                "You asked {guardian}, who looks after you. When {guardian} allows it, your age changes by itself."
            );
            contacts::asked(out, &name, &guardian, &text)
        }
    }
}
