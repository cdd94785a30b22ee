//! The one integration binary: everything here runs against real servers.

mod facade;
mod harness;
mod pocketbase;
mod system;
