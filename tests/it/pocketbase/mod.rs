//! `src/pocketbase` against a real server.

mod case;
mod commit;
mod facade;
mod files;
mod filters;
mod hashes;
mod login;
mod realtime;
mod schema_check;
mod sweeps;
