//! Bare protocol clients, without the SDK: they hold no MLS state and send messages made beforehand, so that the
//! server is what is measured.

mod bare;
mod client;
mod opener;
mod person;
mod rounds;
mod stream;
mod talk;

pub use bare::{Bare, Sizes};
pub use client::{Client, PATIENCE, Place, together};
pub use opener::Opener;
pub use person::Person;
pub use rounds::Rounds;
pub use stream::Sending;
pub use talk::{BUILT, Built, Talk, random};
