//! Ports that stay with the test that took them, also while nothing listens there.
//!
//! A server that is killed and started again must find its port free. The system gives ports of its
//! ephemeral range to any outgoing connection, so these come from below that range (Linux begins at
//! 32768). Other tests are kept away by a locked file for each port, which
//! `tests/support/pocketbase.py` respects too.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

/// Below the ephemeral range, above the ports of well-known services.
const RANGE: Range<u16> = 20_000..32_000;

/// A port of this test until it is dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The system unlocks it when the process ends, however that happens.
    _lock: File,
}

impl Port {
    /// A port that no test holds and on which nothing listens.
    pub fn take() -> Self {
        let folder = std::env::temp_dir().join("identivia-ports");
        fs::create_dir_all(&folder).expect("a folder for locks");
        for _ in 0..1000 {
            let number = rand::random_range(RANGE);
            let lock = File::create(folder.join(number.to_string())).expect("a lock file");
            // Lock first: a port that is probed without it may be taken by another test in between.
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no free port in {RANGE:?}");
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address on the loopback interface.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

/// The address, as `LISTEN` and URLs have it.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

#[test]
fn a_port_is_held_although_nothing_listens() {
    let held: Vec<Port> = (0..50).map(|_| Port::take()).collect();
    let mut numbers: Vec<u16> = held.iter().map(Port::number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), held.len(), "a held port was given out again");
    assert!(TcpListener::bind(held[0].address()).is_ok(), "its owner can listen there");
}
