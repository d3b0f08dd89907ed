//! A desk in memory, browsers, and people with passkeys in software.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod browser;
pub mod html;
pub mod key;
pub mod memory;

use std::sync::Arc;

use axum::Router;
use browser::Browser;
use key::Key;
use memory::Memory;
use zegel_cases::Role;
use zegel_desk::Origin;

pub const ORIGIN: &str = "http://localhost:8420";

/// A service with nobody at its desk yet.
pub struct Scene {
    pub office: Arc<Memory>,
    pub router: Router,
}

impl Scene {
    pub fn new() -> Self {
        Self::at(ORIGIN)
    }

    pub fn at(origin: &str) -> Self {
        let office = Arc::new(Memory::default());
        let router = zegel_desk::router(office.clone(), Origin::parse(origin).expect("an origin"));
        Self { office, router }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// Somebody of this role, enrolled and signed in.
    pub async fn person(&self, name: &str, role: Role) -> Browser {
        self.office.invite("code", name, role);
        let mut browser = self.browser();
        let mut key = Key::new(ORIGIN);
        assert_eq!(browser.join("code", &mut key).await.status, 200);
        assert_eq!(browser.enter(&mut key).await.status, 200);
        browser
    }
}
