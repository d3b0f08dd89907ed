//! Where somebody who has to sign in first wanted to be.

use zegel_cases::CaseNumber;

const LISTS: [&str; 4] = ["/desk/appeals", "/desk/decided", "/desk/closed", "/desk/log"];

/// A page of the desk. It is made anew from what was read, so it never leads anywhere else.
#[derive(Clone, Copy)]
pub(crate) enum Back {
    Case(CaseNumber),
    List(&'static str),
}

impl Back {
    /// The page that a path is, or on which its form stands; `None` for the first one, and for what is no page.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let within = |list: &&str| {
            path.strip_prefix(*list).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(list) = LISTS.into_iter().find(within) {
            return Some(Self::List(list));
        }
        let number = path.strip_prefix("/desk/case/")?.split('/').next()?;
        number.parse().ok().map(Self::Case)
    }

    /// Its path.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Case(number) => format!("/desk/case/{number}"),
            Self::List(path) => path.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_to_pages_of_the_desk_only() {
        let back = |path| Back::of(path).map(Back::path);
        for page in ["/desk/case/00000-00001", "/desk/appeals", "/desk/log"] {
            assert_eq!(back(page).as_deref(), Some(page));
        }
        assert_eq!(back("/desk/case/00000-00001/decide").as_deref(), Some("/desk/case/00000-00001"));
        assert_eq!(
            back("/desk/case/00000-00001/..//evil.example").as_deref(),
            Some("/desk/case/00000-00001")
        );
        assert_eq!(back("/desk/log/export").as_deref(), Some("/desk/log"));
        for wrong in [
            "",
            "/desk",
            "/desk/sign-out",
            "/desk/logs",
            "/desk/case/",
            "/desk/case/x",
            "//evil.example/desk/log",
            "https://evil.example/desk/case/00000-00001",
            "javascript:alert(1)",
            "/desk/../../log",
        ] {
            assert_eq!(back(wrong), None, "{wrong}");
        }
    }
}
