//! Where the desk is opened in a browser; passkeys are bound to it.

use std::fmt;

use url::{Host, Url};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// Scheme, host name and port, such as `https://desk.example.org` or `http://localhost:8420`. The host name is what
/// passkeys are made for: with another one they have to be made anew.
#[derive(Clone)]
pub struct Origin {
    text: String,
    authority: String,
    https: bool,
    pub(crate) webauthn: Webauthn,
}

/// A text that the desk cannot have as its origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not a URL.
    #[error(
        "while reading the desk's origin {0:?}: it is not an address such as https://desk.example.org; try one"
    )]
    Form(String),
    /// Browsers make no passkeys for addresses without a name.
    #[error(
        "while reading the desk's origin {0:?}: browsers refuse passkeys on a bare IP address; \
         try http://localhost:PORT for trials, or a name with https"
    )]
    BareAddress(String),
    /// Browsers make passkeys only where nobody listens in.
    #[error(
        "while reading the desk's origin {0:?}: browsers allow passkeys with https only; \
         try https, or http://localhost:PORT for trials"
    )]
    Insecure(String),
}

impl Origin {
    /// From a URL without path, query or user.
    ///
    /// # Errors
    /// If browsers would make no passkey there; the text says what to do.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let form = || OriginError::Form(text.to_owned());
        let url = Url::parse(text.trim()).map_err(|_| form())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let https = url.scheme() == "https";
        if !bare
            || !url.username().is_empty()
            || url.password().is_some()
            || !(https || url.scheme() == "http")
        {
            return Err(form());
        }
        let host = match url.host().ok_or_else(form)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(_) | Host::Ipv6(_) => return Err(OriginError::BareAddress(text.to_owned())),
        };
        if !https && host != "localhost" && !host.ends_with(".localhost") {
            return Err(OriginError::Insecure(text.to_owned()));
        }
        let builder = WebauthnBuilder::new(&host, &url).map_err(|_| form())?.rp_name("Zegel desk");
        let webauthn = builder.build().map_err(|_| form())?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let authority = format!("{host}{port}");
        Ok(Self { text: url.origin().ascii_serialization(), authority, https, webauthn })
    }

    /// What a browser's `Origin` header says there.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What its `Host` header says there.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_browsers_make_passkeys() {
        let local = Origin::parse("http://localhost:8420").expect("trials");
        assert_eq!((local.as_str(), local.authority()), ("http://localhost:8420", "localhost:8420"));
        let named = Origin::parse("https://Desk.Example.org:443/").expect("a name");
        assert_eq!((named.as_str(), named.authority()), ("https://desk.example.org", "desk.example.org"));
        for bare in ["http://127.0.0.1:8420", "https://[::1]", "https://192.0.2.7"] {
            let error = Origin::parse(bare).expect_err(bare).to_string();
            assert!(error.contains("http://localhost:PORT"), "{error}");
        }
        assert!(matches!(Origin::parse("http://desk.example.org"), Err(OriginError::Insecure(_))));
        for wrong in [
            "",
            "localhost:8420",
            "https://",
            "https://a.example/desk",
            "https://ada@a.example",
            "ftp://a.example",
        ] {
            assert!(matches!(Origin::parse(wrong), Err(OriginError::Form(_))), "{wrong}");
        }
    }
}
