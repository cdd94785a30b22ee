//! The one integration binary: everything here runs against real servers.

mod facade;
mod harness;
mod model;
mod pocketbase;
mod system;
