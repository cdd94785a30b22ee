//! Signals that stop the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// A token that the first SIGTERM or Ctrl-C cancels, so that everything finishes; the second ends
/// the process at once.
pub fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the signal listener outlives every owner; it ends with the process"
    )]
    tokio::spawn(async move {
        next_signal().await;
        stop.cancel();
        next_signal().await;
        std::process::exit(INTERRUPTED);
    });
    token
}

async fn next_signal() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
