//! Standard output: lines for people, or one JSON object a line.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

use crate::{fail::Fail, safe};

/// How a part of a line looks where colours are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Plain,
    Name,
    Quiet,
    Alarm,
}

impl Look {
    fn start(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Name => "\x1b[1m",
            Self::Quiet => "\x1b[2m",
            Self::Alarm => "\x1b[33m",
        }
    }
}

/// Where results go. Every text is made safe here, so that no caller can forget it.
pub struct Out {
    json: bool,
    colours: bool,
    to: BufWriter<Stdout>,
}

impl Out {
    pub fn new(json: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let to = io::stdout();
        Self { json, colours: to.is_terminal() && !no_color && !dumb, to: BufWriter::new(to) }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One line for people.
    pub fn line(&mut self, parts: &[(Look, &str)]) -> Result<(), Fail> {
        for (look, text) in parts {
            let text = safe::line(text);
            match (self.colours, look) {
                (true, Look::Name | Look::Quiet | Look::Alarm) if !text.is_empty() => {
                    write!(self.to, "{}{text}\x1b[0m", look.start())?
                }
                _ => self.to.write_all(text.as_bytes())?,
            }
        }
        Ok(self.to.write_all(b"\n")?)
    }

    /// One line for people, plain.
    pub fn plain(&mut self, text: &str) -> Result<(), Fail> {
        self.line(&[(Look::Plain, text)])
    }

    /// One JSON object on a line.
    pub fn object(&mut self, object: &impl Serialize) -> Result<(), Fail> {
        let text = serde_json::to_string(object).map_err(io::Error::from)?;
        Ok(writeln!(self.to, "{}", safe::json(&text))?)
    }

    /// JSON on many lines, to be read by people too.
    pub fn pretty(&mut self, value: &impl Serialize) -> Result<(), Fail> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        // Here a line's end is layout; inside of strings JSON has none.
        text.split('\n').try_for_each(|row| Ok(writeln!(self.to, "{}", safe::json(row))?))
    }

    /// Whichever of the two is wanted.
    pub fn either(&mut self, object: &impl Serialize, text: &str) -> Result<(), Fail> {
        if self.json { self.object(object) } else { self.plain(text) }
    }

    pub fn flush(&mut self) -> Result<(), Fail> {
        Ok(self.to.flush()?)
    }
}
