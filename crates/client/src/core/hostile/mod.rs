//! What members, outsiders and the service itself may send to a device, and what it makes of it.
//!
//! Real profiles on disk and the real steps; between them a post office that only stamps, numbers and carries. Each scenario
//! shows first, or beside it, that the honest variant passes.

mod bytes;
mod changes;
mod connections;
mod entries;
mod forge;
mod gossip;
mod guardians;
mod messages;
mod minors;
mod office;
mod post;
mod promises;
mod registry;
mod rejoins;
mod reports;
mod returns;
mod roots;
mod rumours;
mod service;
mod statements;
mod welcomes;
mod world;
