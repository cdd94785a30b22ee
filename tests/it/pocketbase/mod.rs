//! `src/pocketbase` against a real `PocketBase`.

mod case;
mod commit;
mod duplicates;
mod files;
mod filters;
mod intake;
mod realtime;
mod schema_check;
mod session;
mod sweeps;
