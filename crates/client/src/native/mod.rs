//! The driver for tokio, files and WebSockets, and the SDK's face: [`Client`].

mod client;
mod link;
mod ops;
mod profile;
mod session;

pub use client::{Client, Registration};
pub use ops::{Group, Me, Request, default_home};
