//! Browsers that only listen: each has its own stream, subscribed to verifications and the journal
//! as a page would be.

use tokio::task::JoinSet;

use crate::pocketbase::Caller;
use crate::stream;

/// Options of `driver browsers`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Address of `PocketBase`.
    #[arg(long)]
    pocketbase: String,
    /// Token of the person to whom all of them belong.
    #[arg(long)]
    token: String,
    /// Number of browsers.
    #[arg(long)]
    count: usize,
}

/// Prints `ready` once all are subscribed, then reads until it is killed.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let caller = Caller::new(&options.pocketbase, &options.token)?;
    let mut streams = JoinSet::new();
    let mut readers = JoinSet::new();
    for _ in 0..options.count {
        let mut events = stream::subscribe(&caller, &["verifications", "journal"], &mut streams).await?;
        readers.spawn(async move { while events.recv().await.is_some() {} });
    }
    println!("ready");
    while let Some(ended) = streams.join_next().await {
        ended??;
    }
    Ok(())
}
