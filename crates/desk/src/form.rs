//! Forms as browsers send them.

use url::form_urlencoded;

/// Names and values, in the order they came.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A value; empty if it was not sent, or more than once.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => value,
            _ => "",
        }
    }

    /// Which page of a list is meant, from 1.
    pub(crate) fn page(&self) -> u32 {
        self.get("page").parse().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_came_twice_is_none() {
        let form = Form::read(b"a=1&b=x+%26%0d%0a&a=2&&=&c&\xff=%ff");
        assert_eq!((form.get("a"), form.get("b"), form.get("c"), form.get("d")), ("", "x &\r\n", "", ""));
    }
}
