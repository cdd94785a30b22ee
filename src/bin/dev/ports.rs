//! The ports that the parts listen on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use anyhow::{Context as _, bail};

use crate::options::PortOptions;

/// The address of each part. None of them was in use when it was chosen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub pocketbase: SocketAddr,
    pub sandbox: SocketAddr,
    pub sidecar: SocketAddr,
    /// The sidecar's metrics.
    pub metrics: SocketAddr,
}

/// Chooses the parts' addresses and binds that of the example page, which `dev` serves itself.
///
/// All ports are held until the last is chosen, so that no two are the same. Another program may
/// take one before the part binds it; then the part says so and the start fails.
pub fn choose(options: &PortOptions) -> anyhow::Result<(Addresses, TcpListener)> {
    let hold = |port, part, option| hold(if options.free_ports { 0 } else { port }, part, option);
    let pocketbase = hold(options.port_pocketbase, "PocketBase", "--port-pocketbase")?;
    let sandbox = hold(options.port_sandbox, "the sandbox", "--port-sandbox")?;
    let sidecar = hold(options.port_sidecar, "the sidecar", "--port-sidecar")?;
    let metrics = hold(options.port_metrics, "the sidecar's metrics", "--port-metrics")?;
    let page = hold(options.port_page, "the example page", "--port-page")?;
    let addresses = Addresses {
        pocketbase: pocketbase.local_addr()?,
        sandbox: sandbox.local_addr()?,
        sidecar: sidecar.local_addr()?,
        metrics: metrics.local_addr()?,
    };
    Ok((addresses, page))
}

/// Free ports come from below the range from which the system takes the ports of outgoing
/// connections (Linux: from 32768), so that no such connection takes one between here and the
/// part's own start.
const FREE: Range<u16> = 20_000..32_000;

fn hold(port: u16, whom: &str, option: &str) -> anyhow::Result<TcpListener> {
    let bound = match port {
        0 => (0..100).find_map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, rand::random_range(FREE))).ok()),
        _ => None,
    };
    // The system chooses if all of those were in use.
    match bound.map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port)), Ok) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {port} for {whom} is in use: stop the program that uses it (another `dev`?), or choose another \
             port with {option} (0 picks a free one)"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port} for {whom}; see {option}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::options::Cli;

    fn ports(arguments: &[&str]) -> PortOptions {
        Cli::try_parse_from([&["dev"], arguments].concat()).expect("the arguments are valid").options.ports
    }

    #[test]
    fn free_ports_differ() {
        let (found, page) = choose(&ports(&["--free-ports"])).expect("a machine has five free ports");
        let mut all =
            [found.pocketbase, found.sandbox, found.sidecar, found.metrics, page.local_addr().expect("bound")];
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_option_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("bound").port().to_string();
        let mut options = ports(&["--port-sandbox", &port]);
        options.port_pocketbase = 0;
        let error = choose(&options).expect_err("the port is taken").to_string();
        assert!(error.contains(&port) && error.contains("--port-sandbox"), "{error}");
    }
}
