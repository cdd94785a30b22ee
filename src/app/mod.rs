//! The program's commands: `serve`, `doctor`, `replay` and `health`.
//!
//! [`serve`] builds every part from the configuration, checks what it finds, owns all tasks and
//! orders the shutdown. The other rooms know nothing of this one.

mod doctor;
mod error;
mod health;
mod replay;
mod serve;
mod signals;
mod startup;
mod tasks;
mod wiring;

pub use doctor::{Report, doctor};
pub use error::StartError;
pub use health::health;
pub use replay::replay;
pub use serve::serve;
pub use signals::stop_on_signal;
pub use wiring::VERSION;
