//! The driver for tokio, files and WebSockets, and the SDK's face: [`Client`].

mod client;
mod groups;
mod link;
mod ops;
mod profile;
mod session;

pub use client::{Client, Registration};
pub use groups::Group;
pub use ops::{Me, Request, default_home};
