//! What attacks are made of: a stage with a real server, people with real clients, and the hands of those who
//! attack.

mod forge;
pub mod mls;
mod office;
mod operator;
mod passkey;
mod person;
mod proxy;
mod seat;
mod second;
mod server;
mod stage;
mod stranger;
mod tree;
mod wait;

pub use forge::Forger;
pub use office::{Office, account_of, device_of, message};
pub use operator::{Operator, now_ms};
pub use passkey::Passkey;
pub use person::Person;
pub use proxy::{Frame, Passing, Proxy, pass};
pub use seat::{Page, Seat};
pub use second::{Second, Shown, Versions};
pub use server::{Server, program as server_program};
pub use stage::{Stage, befriend};
pub use stranger::{Keys, Stranger, code_of, hollow_message};
pub use wait::{SOON, WAIT, until};
