//! The generated part of docs/safety.md.

use std::fmt::Write;

use zegel_proto::v1::AgeBand;

use super::{
    FROZEN, Measured,
    assumptions::ALL,
    outcome::{OPEN, Outcome, WATCHED},
    people::Role,
    score::{Figure, Tally},
    styles::Style,
};

/// The whole part, in Markdown.
pub fn markdown(it: &Measured) -> String {
    let mut out = String::new();
    let Measured { size, runs, seed, .. } = it;
    writeln!(
        out,
        "`zegel-bench population --people {} --days {} --runs {runs} --seed {seed}`, policy `{}`, numbers `{}`. {} \
         predators of each style are in each run: many more than there are, so that they can be measured. Square \
         brackets hold 95 % intervals: Wilson's for shares, a bootstrap over runs for means.",
        size.people, size.days, it.policy, it.numbers, size.of_each
    )
    .expect("a String takes all");
    out.push_str("\n![Found, false alarms and minors in contact](safety.svg)\n");
    detection(&mut out, it);
    alarms(&mut out, it);
    prevention(&mut out, it);
    reached(&mut out, it);
    out.push_str(&variations(it));
    assumptions(&mut out);
    sources(&mut out);
    out
}

/// Both tables of what was varied.
pub fn variations(it: &Measured) -> String {
    let mut out = String::new();
    sensitivity(&mut out, "The rules' numbers, one at a time", &it.of_rules);
    sensitivity(&mut out, "The assumptions, one at a time", &it.of_assumptions);
    out
}

fn table(out: &mut String, title: &str, columns: &[&str], rows: Vec<Vec<String>>) {
    out.push_str(&format!(
        "\n### {title}\n\n| {} |\n|{}\n",
        columns.join(" | "),
        " --- |".repeat(columns.len())
    ));
    rows.iter().for_each(|row| out.push_str(&format!("| {} |\n", row.join(" | "))));
}

fn detection(out: &mut String, it: &Measured) {
    let row = |(outcome, style): (&Outcome, Style)| {
        let role = Role::Predator(style);
        let days = outcome
            .days(role)
            .map_or("-".into(), |[low, middle, high]| format!("{middle:.0} ({low:.0} to {high:.0})"));
        let mut row = vec![role.name().to_owned(), outcome.count(role).to_string()];
        row.extend(WATCHED.map(|rule| percent(outcome.fired(&[role], rule))));
        row.push(percent(outcome.found(&[role])));
        row.push(days);
        row.push(outcome.before(role).map_or("-".into(), |minors| format!("{minors:.1}")));
        row.push(percent(outcome.part(&[role], |tally| tally.reported.is_some())));
        row.push(percent(outcome.part(&[role], |tally| tally.fired.is_empty() && tally.reported.is_none())));
        row
    };
    let columns = [
        "style",
        "actors",
        "`unwanted` %",
        "`many-minors` %",
        "either rule %",
        "days until then, median (10 to 90 %)",
        "minors in contact until then",
        "reported by a minor %",
        "neither rule nor report %",
    ];
    table(out, "Found: the share of actors", &columns, it.styles().map(row).collect());
    let spam = [Role::Spammer];
    let line = format!(
        "\nSpammers: `unwanted` finds {} %, `many-minors` {} %.\n",
        percent(it.zegel.fired(&spam, WATCHED[0])),
        percent(it.zegel.fired(&spam, WATCHED[1]))
    );
    out.push_str(&line);
    let frozen = match it.numbers == FROZEN {
        true => "The style that is held out was run after these rules were frozen.",
        false => "The rules changed after the style that is held out was run: it is no longer unseen.",
    };
    out.push_str(&format!("\n{frozen}\n"));
}

fn alarms(out: &mut String, it: &Measured) {
    let row = |role: Role| {
        let mut row = vec![role.name().to_owned(), it.zegel.count(role).to_string()];
        row.extend(WATCHED.map(|rule| percent(it.zegel.fired(&[role], rule))));
        for notice in 0..3 {
            let told = it.zegel.ratio(&[role], |t| f64::from(t.notices[notice]), |t| f64::from(t.shown));
            row.push(percent(told));
        }
        row.push(percent(it.zegel.part(&[role], |tally| tally.refused > 0)));
        row
    };
    let columns = [
        "honest people",
        "people",
        "`unwanted`: restricted %",
        "`many-minors`: the desk looked %",
        "requests that said: declined by many %",
        "reported by many %",
        "many minors %",
        "refused by the daily limit %",
    ];
    table(
        out,
        &format!("False alarms: the share of people, in {} days", it.size.days),
        &columns,
        Role::HONEST.into_iter().map(row).collect(),
    );
    let weekly = |outcome: &Outcome| {
        let looked = |t: &Tally| f64::from(u8::from(t.fired.contains_key(WATCHED[1])));
        let Figure { value, low, high } = outcome.mean(&Role::HONEST, looked);
        let [value, low, high] = [value, low, high].map(|part| part * 7000.0 / f64::from(it.size.days));
        number(Figure { value, low, high })
    };
    out.push_str(&format!(
        "\nThe desk looks at {} honest people a week for every thousand; at {} if `many-minors` counted \
         minors who gave a word too.\n",
        weekly(&it.zegel),
        weekly(&it.reached)
    ));
    if let Some([zegel, _]) = &it.held_out {
        out.push_str(&format!(
            "\nIn the runs with the style that is held out, a rule brought up {} % of other minors, from whom accounts \
             are taken.\n",
            percent(zegel.found(&[Role::Minor]))
        ));
    }
}

fn prevention(out: &mut String, it: &Measured) {
    let rows = it.styles().zip(it.usual_styles()).map(|((zegel, style), usual)| {
        let role = [Role::Predator(style)];
        let mut row = vec![role[0].name().to_owned()];
        for outcome in [zegel, usual] {
            row.push(number(outcome.mean(&role, |t| f64::from(t.delivered))));
            row.push(number(outcome.mean(&role, |t| t.in_contact.len() as f64)));
            row.push(number(outcome.mean(&role, |t| f64::from(t.lured))));
            row.push(number(outcome.mean(&role, |t| f64::from(t.harmed))));
        }
        row
    });
    let columns = [
        "style, for each actor",
        "Zegel: introductions delivered to minors",
        "minors in contact",
        "of those, wrote first",
        "became bad",
        "usual: introductions delivered to minors",
        "minors in contact",
        "of those, wrote first",
        "became bad",
    ];
    let title = format!("Prevented: what reached minors in {} days", it.size.days);
    table(out, &title, &columns, rows.collect());
    let all: Vec<Role> = Style::KNOWN.into_iter().map(Role::Predator).collect();
    let each = |outcome: &Outcome| number(outcome.mean(&all, |t| t.in_contact.len() as f64));
    let strangers =
        |outcome: &Outcome, roles: &[Role]| number(outcome.mean(roles, |tally| f64::from(tally.unasked)));
    let said_adult =
        it.zegel.ratio(&all, |t| f64::from(t.unasked), |t| f64::from(t.delivered.max(t.unasked)));
    out.push_str(&format!(
        "\nOver all styles but the one that is held out, minors in contact for each predator: {} on Zegel, {} on the usual \
         service. Introductions of strangers delivered to minors, for each spammer: {} on Zegel, {} on the usual \
         service. Of what predators have delivered on Zegel, {} % goes to minors who said that they are adults: the \
         rest needs a code or a friend.\n",
        each(&it.zegel),
        each(&it.usual),
        strangers(&it.zegel, &[Role::Spammer]),
        strangers(&it.usual, &[Role::Spammer]),
        percent(said_adult),
    ));
    by_what_they_say(out, it);
    let put_off = it.zegel.mean(&[Role::Minor, Role::Newcomer], |tally| f64::from(tally.put_off));
    out.push_str(&format!(
        "\nWhat it costs the honest: {} introductions for each minor or new member did not come through and took a \
         code, given in person.\n",
        number(put_off)
    ));
}

fn by_what_they_say(out: &mut String, it: &Measured) {
    use AgeBand::{Adult, Child, Teen, Unknown};
    let says: [(&str, &[AgeBand]); 3] =
        [("child or teen", &[Child, Teen]), ("nothing", &[Unknown]), ("adult", &[Adult])];
    let row = |(words, bands): (&str, &[AgeBand])| {
        let mut row = vec![words.to_owned()];
        for outcome in [&it.zegel, &it.usual] {
            row.push(number(outcome.minors(bands, |t| f64::from(t.met))));
            row.push(number(outcome.minors(bands, |t| f64::from(t.met - t.met_first))));
        }
        row
    };
    let columns = [
        "minors who say they are",
        "Zegel: predators in contact, for each minor",
        "without those they wrote to first",
        "usual: predators in contact, for each minor",
        "without those they wrote to first",
    ];
    table(out, "Prevented: by what minors say", &columns, says.map(row).to_vec());
}

fn reached(out: &mut String, it: &Measured) {
    let honest = Role::HONEST.into_iter().map(|role| (&it.zegel, &it.reached, role));
    let held_out = it.held_out.iter().zip(&it.reached_held_out);
    let held_out = held_out.map(|([zegel, _], reached)| (zegel, reached, Role::Predator(Style::HELD_OUT)));
    let known = Style::KNOWN.into_iter().map(|style| (&it.zegel, &it.reached, Role::Predator(style)));
    let row = |(shipped, reached, role): (&Outcome, &Outcome, Role)| {
        let both = [shipped, reached].map(|outcome| percent(outcome.fired(&[role], WATCHED[1])));
        [vec![role.name().to_owned()], both.to_vec()].concat()
    };
    let columns = ["who", "as shipped: only tries that were dropped %", "minors who gave a word too %"];
    let rows = known.chain(held_out).chain(honest).map(row).collect();
    table(out, "`many-minors`: whom it counts", &columns, rows);
}

/// The columns of both tables of sensitivity.
type Row = (String, [Figure; 7]);

/// What is told of a variation.
pub fn told(outcome: &Outcome) -> [Figure; 7] {
    let open = OPEN.map(Role::Predator);
    let leaders = [Role::Teacher, Role::Coach];
    let others = [Role::Minor, Role::Adult, Role::Newcomer];
    let all: Vec<Role> = Style::KNOWN.into_iter().map(Role::Predator).collect();
    [
        outcome.fired(&open, WATCHED[0]),
        outcome.fired(&open, WATCHED[1]),
        outcome.fired(&leaders, WATCHED[1]),
        outcome.fired(&[Role::Organiser], WATCHED[0]),
        outcome.fired(&[Role::Organiser], WATCHED[1]),
        outcome.found(&others),
        outcome.mean(&all, |tally| tally.in_contact.len() as f64),
    ]
}

fn sensitivity(out: &mut String, title: &str, rows: &[Row]) {
    let columns = [
        "varied",
        "open styles: `unwanted` %",
        "`many-minors` %",
        "teachers and coaches: `many-minors` %",
        "organisers: `unwanted` %",
        "`many-minors` %",
        "all other honest people: either %",
        "minors in contact for each predator",
    ];
    let row = |(name, told): &Row| {
        let mut row = vec![name.clone()];
        row.extend(told[..6].iter().map(|figure| percent(*figure)));
        row.push(number(told[6]));
        row
    };
    table(out, title, &columns, rows.iter().map(row).collect());
}

fn assumptions(out: &mut String) {
    let row = |a: &super::assumptions::Assumption| {
        vec![a.what.to_owned(), format!("{} ({} to {})", a.value, a.low, a.high), a.backed.to_owned()]
    };
    table(out, "What is assumed", &["what", "value (range)", "backed by"], ALL.iter().map(row).collect());
}

fn sources(out: &mut String) {
    let styles = Style::KNOWN.into_iter().chain([Style::HELD_OUT]);
    let row = |style: Style| vec![style.plan().name.to_owned(), style.plan().source.to_owned()];
    table(out, "Where the styles are from", &["style", "from"], styles.map(row).collect());
}

fn percent(figure: Figure) -> String {
    let [value, low, high] = [figure.value, figure.low, figure.high].map(|part| part * 100.0);
    let digits = usize::from(high < 10.0);
    format!("{value:.digits$} [{low:.digits$}, {high:.digits$}]")
}

fn number(figure: Figure) -> String {
    let Figure { value, low, high } = figure;
    let digits = if high < 10.0 { 2 } else { 0 };
    format!("{value:.digits$} [{low:.digits$}, {high:.digits$}]")
}
