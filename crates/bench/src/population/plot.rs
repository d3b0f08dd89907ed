//! docs/safety.svg: two panels of dots with intervals, in colours that read on white and on black.

use super::{Measured, outcome::WATCHED, people::Role, score::Figure};

const WIDTH: f64 = 1080.0;
const TOP: f64 = 96.0;
const ROW: f64 = 30.0;
const NAMES: f64 = 290.0;
/// Both panels: where they begin and how wide they are.
const SHARE: (f64, f64) = (310.0, 360.0);
const MINORS: (f64, f64) = (720.0, 320.0);
/// The second panel is logarithmic, from here to there.
const LEAST: f64 = 0.1;
const MOST: f64 = 1000.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#333}.small{font-size:12px}.title{font-weight:600}\
.line{stroke:#8888;stroke-width:1}.a{fill:#0b6bcb;stroke:#0b6bcb}.b{fill:#c2410c;stroke:#c2410c}\
.c{fill:#777;stroke:#777}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.a{fill:#6cb6ff;stroke:#6cb6ff}.b{fill:#ff9e64;stroke:#ff9e64}\
.c{fill:#aaa;stroke:#aaa}}";

/// The plot.
pub fn svg(it: &Measured) -> String {
    let styles: Vec<_> = it.styles().zip(it.usual_styles()).collect();
    let rows = styles.len() + Role::HONEST.len() + 1;
    let bottom = TOP + rows as f64 * ROW;
    let height = bottom + 56.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Whom the rules find, whom they trouble, and how many minors are in contact with a predator\">\n\
         <style>{STYLE}</style>\n"
    );
    text(&mut out, SHARE.0, 22.0, "title", &format!("Brought up by a rule in {} days", it.size.days));
    text(&mut out, MINORS.0, 22.0, "title", "Minors in contact, for each predator");
    key(&mut out, SHARE.0, "a", "unwanted (restricts)");
    key(&mut out, SHARE.0 + 170.0, "b", "many-minors (the desk looks)");
    key(&mut out, MINORS.0, "a", "Zegel");
    key(&mut out, MINORS.0 + 100.0, "c", "usual settings");
    for tick in 0..=4 {
        let part = f64::from(tick) / 4.0;
        axis(&mut out, SHARE.0 + part * SHARE.1, bottom, &format!("{:.0}", part * 100.0));
    }
    for power in -1..=3 {
        let value = 10f64.powi(power);
        axis(&mut out, minors(value), bottom, &value.to_string());
    }
    text(&mut out, SHARE.0, bottom + 44.0, "small", "share of people, % (95 % interval)");
    text(&mut out, MINORS.0, bottom + 44.0, "small", "minors (95 % interval), logarithmic");
    for (row, ((zegel, style), usual)) in styles.iter().enumerate() {
        let (role, y) = (Role::Predator(*style), TOP + (row as f64 + 0.5) * ROW);
        text(&mut out, NAMES, y + 4.0, "small name", role.name());
        for (which, (rule, class)) in WATCHED.iter().zip(["a", "b"]).enumerate() {
            dot(&mut out, class, y, which, zegel.fired(&[role], rule), |part| SHARE.0 + part * SHARE.1);
        }
        for (which, (outcome, class)) in [(*zegel, "a"), (*usual, "c")].into_iter().enumerate() {
            let figure = outcome.mean(&[role], |tally| tally.in_contact.len() as f64);
            dot(&mut out, class, y, which, figure, minors);
        }
    }
    for (row, role) in Role::HONEST.into_iter().enumerate() {
        let y = TOP + ((styles.len() + 1 + row) as f64 + 0.5) * ROW;
        text(&mut out, NAMES, y + 4.0, "small name", &format!("honest: {}", role.name()));
        for (which, (rule, class)) in WATCHED.iter().zip(["a", "b"]).enumerate() {
            dot(&mut out, class, y, which, it.zegel.fired(&[role], rule), |part| SHARE.0 + part * SHARE.1);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn minors(value: f64) -> f64 {
    let part = (value.clamp(LEAST, MOST) / LEAST).log10() / (MOST / LEAST).log10();
    MINORS.0 + part * MINORS.1
}

fn text(out: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let anchor = if class.ends_with("name") { "end" } else { "start" };
    out.push_str(&format!(
        "<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"{class}\" text-anchor=\"{anchor}\">{words}</text>\n"
    ));
}

fn key(out: &mut String, x: f64, class: &str, words: &str) {
    out.push_str(&format!("<circle class=\"{class}\" cx=\"{:.0}\" cy=\"46\" r=\"4\"/>\n", x + 4.0));
    text(out, x + 14.0, 50.0, "small", words);
}

fn axis(out: &mut String, x: f64, bottom: f64, words: &str) {
    let top = TOP - 12.0;
    out.push_str(&format!("<path class=\"line\" d=\"M{x:.1} {top}V{bottom}\"/>\n"));
    out.push_str(&format!(
        "<text x=\"{x:.1}\" y=\"{:.0}\" class=\"small\" text-anchor=\"middle\">{words}</text>\n",
        bottom + 18.0
    ));
    out.push_str(&format!(
        "<text x=\"{x:.1}\" y=\"{:.0}\" class=\"small\" text-anchor=\"middle\">{words}</text>\n",
        top - 6.0
    ));
}

/// A value and its interval; two in a row stand one above the other.
fn dot(out: &mut String, class: &str, y: f64, which: usize, figure: Figure, place: impl Fn(f64) -> f64) {
    let y = y + if which == 0 { -4.5 } else { 4.5 };
    let [value, low, high] = [figure.value, figure.low, figure.high].map(place);
    out.push_str(&format!(
        "<path class=\"{class}\" stroke-width=\"1.6\" d=\"M{low:.1} {y:.1}H{high:.1}\"/>\
         <circle class=\"{class}\" cx=\"{value:.1}\" cy=\"{y:.1}\" r=\"3.6\"/>\n"
    ));
}
