//! In Dutch.

use super::{Basis, Change, Facts, Held, News, Reported, appeal_command, day, quoted};
use crate::{CaseNumber, Category, Measure};

const MONTHS: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];

pub(super) fn text(number: CaseNumber, news: &News<'_>) -> String {
    match news {
        News::Decided(facts) => {
            let (held, basis) = (held(&facts.held), basis(facts));
            let mut text = format!("Een besluit over je account (zaak {number})\n\n{held}\n\n{basis}");
            if facts.appeal_until_ms != 0 {
                text += &appeal(number, facts);
                text += OTHER_WAYS;
            }
            text
        }
        News::AppealTaken(before) => format!(
            "We hebben je bezwaar ontvangen (zaak {number})\n\n\
             {}. Je hoeft niets te doen. Wat er wordt besloten, lees je hier.\n\n\
             Tot dan geldt het eerste besluit. {}\n",
            match before.rule_first {
                true => "Eerst besliste een regel; nu kijkt er een mens naar",
                false => "Iemand anders dan wie het eerste besluit nam, kijkt er opnieuw naar",
            },
            held(before)
        ),
        News::AppealDecided(facts, change) => {
            let outcome = match change {
                Change::Upheld => "Die kwam tot hetzelfde besluit. Het blijft zoals het was.",
                Change::Changed => "Die besloot anders. Dit komt in de plaats van het eerste besluit:",
                Change::Lifted => {
                    "Die besloot anders. Het eerste besluit is ingetrokken: het geldt niet meer."
                }
            };
            let (held, basis) = (held(&facts.held), basis(facts));
            let who = match facts.held.rule_first {
                true => "Eerst besliste een regel; nu heeft een mens naar je zaak gekeken.",
                false => "Iemand anders dan wie het eerste besluit nam, heeft opnieuw naar je zaak gekeken.",
            };
            format!(
                "Het besluit op je bezwaar (zaak {number})\n\n\
                 {who} {outcome}\n\n\
                 {held}\n\n{basis}\
                 Een tweede keer bezwaar maken bij ons kan niet. {OTHER_WAYS}"
            )
        }
        News::Outcome { acted } => {
            let outcome = match acted {
                true => "Wat je hebt gemeld, mag niet volgens onze regels, en we hebben er iets aan gedaan.",
                false => {
                    "Die vond niet dat het tegen onze regels was, of kon het niet vaststellen. We hebben niets gedaan."
                }
            };
            format!(
                "Wat er met je melding is gebeurd (zaak {number})\n\n\
                 Bedankt voor je melding. Een mens heeft ernaar gekeken, geen computer. {outcome} Wat we precies doen, \
                 vertellen we alleen aan wie het betreft. Die krijgt nooit te horen wie de melding deed.\n\n\
                 Wat je kunt doen:\n\
                 - Blokkeer de persoon: die kan je dan niet meer bereiken.\n    zegel block NAAM\n\
                 - Meld het opnieuw als er weer iets gebeurt, of als je meer berichten kunt laten zien.\n\
                 - Vind je ons besluit verkeerd? Dan kun je naar een erkende geschillencommissie of naar de rechter. \
                 Met een misdrijf kun je altijd naar de politie.\n"
            )
        }
        News::Nothing => format!("In zaak {number} is nog niets besloten.\n"),
    }
}

const OTHER_WAYS: &str =
    "Je kunt ook naar een geschillencommissie die daarvoor erkend is, of naar de rechter.\n";

fn held(held: &Held) -> String {
    let until = day(held.until_ms, &MONTHS);
    match held.measure {
        Measure::Dismiss => "In deze zaak wordt niets tegen je gedaan.".into(),
        Measure::Warn => {
            "Je krijgt een waarschuwing. Verder verandert er niets aan je account. Als het weer gebeurt, kan er meer volgen.".into()
        }
        Measure::RestrictFirstContact { days: number } => format!(
            "Je kunt {} lang, tot {until}, niet schrijven aan mensen die je nog niet kennen. Je andere gesprekken gaan \
             gewoon door.",
            days(number)
        ),
        Measure::Suspend { days: number } => format!(
            "Je account is {} geschorst, tot {until}. Tot dan kun je geen berichten versturen of ontvangen.",
            days(number)
        ),
        Measure::Ban => {
            "Je account is voorgoed geblokkeerd: je kunt er geen berichten meer mee versturen of ontvangen.".into()
        }
    }
}

fn days(days: u32) -> String {
    if days == 1 { "1 dag".to_owned() } else { format!("{days} dagen") }
}

/// The rule, the facts, who decided, and their words.
fn basis(facts: &Facts<'_>) -> String {
    let (reported, brought) = match &facts.basis {
        Basis::Rule(ruled) => {
            return format!(
                "Een regel van deze dienst heeft dit besloten, geen mens. De regel:\n{}\n\
                 Waar dit op berust: minstens {} verschillende mensen, binnen {}. De dienst telt ze een paar weken en \
                 bewaart niet wie het waren. Wat je schrijft, kan de dienst niet lezen, en er heeft nog niemand naar \
                 gekeken.\n\n",
                quoted(facts.explanation),
                ruled.least,
                days(ruled.days),
            );
        }
        Basis::Person { reported, brought } => (reported, brought),
    };
    let rule = match facts.held.measure {
        Measure::Dismiss => String::new(),
        _ => format!("De regel waar het om gaat: {}.\n\n", rule(facts.ground)),
    };
    let brought = match brought {
        true => "Een regel van deze dienst, die mensen telt en niets leest, bracht deze zaak. ",
        false => "",
    };
    let shown = reported.as_ref().map(|reported| shown(reported) + " ").unwrap_or_default();
    format!(
        "{rule}Waar dit op berust: {brought}{shown}Berichten die niemand ons laat zien, kunnen we niet lezen.\n\n\
         Een mens heeft dit besloten, geen computer. In eigen woorden:\n{}\n",
        quoted(facts.explanation)
    )
}

fn shown(reported: &Reported) -> String {
    match (reported.disclosed, reported.proven) {
        (0, _) => "Iemand heeft je bij ons gemeld. Er zijn ons geen berichten getoond.".to_owned(),
        (1, 1) => {
            "Iemand die een bericht kreeg, heeft het bij ons gemeld. We konden bewijzen welk account het verstuurde."
                .to_owned()
        }
        (1, _) => {
            "Iemand die een bericht kreeg, heeft het bij ons gemeld. We konden niet bewijzen wie het verstuurde."
                .to_owned()
        }
        (disclosed, proven) => {
            let proven = match proven {
                0 => "Van geen daarvan".to_owned(),
                all if all == disclosed => "Van allemaal".to_owned(),
                some => format!("Van {some} daarvan"),
            };
            format!(
                "Iemand die berichten kreeg, heeft er {disclosed} bij ons gemeld. {proven} konden we bewijzen welk \
                 account het bericht verstuurde."
            )
        }
    }
}

fn appeal(number: CaseNumber, facts: &Facts<'_>) -> String {
    let until = day(facts.appeal_until_ms, &MONTHS);
    let command = appeal_command(number, "Waarom jij het anders ziet, in je eigen woorden");
    let who = if facts.held.rule_first { "een mens" } else { "iemand anders" };
    format!(
        "Ben je het er niet mee eens? Dan kun je tot {until} bezwaar maken. Het kost niets, en {who} beslist. \
         Schrijf:\n{command}Dat kan ook terwijl je account geschorst of geblokkeerd is.\n\n"
    )
}

fn rule(category: Category) -> &'static str {
    match category {
        Category::ChildAbuse => "geen seksuele beelden van kinderen, en geen seksueel misbruik van een kind",
        Category::Grooming => {
            "niemand mag het vertrouwen van een kind proberen te winnen voor seks of voor foto's"
        }
        Category::SexualExtortion => {
            "niemand mag dreigen intieme beelden van iemand te verspreiden, of om meer daarvan dwingen"
        }
        Category::Terrorism => "niemand mag oproepen tot aanslagen, ze goedpraten of voorbereiden",
        Category::Threats => "niemand mag dreigen iemand pijn te doen of te doden",
        Category::SelfHarm => "niemand mag een ander aanzetten zichzelf pijn te doen of te doden",
        Category::Harassment => {
            "niemand mag een ander beledigen, stalken of vernederen, of mensen aanvallen om wat ze zijn"
        }
        Category::Fraud => "niemand mag met bedrog geld, accounts of identiteiten proberen te krijgen",
        Category::Election => {
            "niemand mag liegen over hoe, wanneer of waar je kunt stemmen, of mensen van stemmen afhouden"
        }
        Category::Spam => "niemand mag aan veel mensen sturen waar ze niet om vroegen",
        Category::Other => "een andere regel van deze dienst; in de uitleg hieronder staat welke",
    }
}
