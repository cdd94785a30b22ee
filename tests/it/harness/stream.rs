//! The realtime stream on its way through the proxy: events are lost, doubled, shuffled or garbled.

use std::time::Duration;

use tokio::time::Instant;

/// What happens to the events of a stream. The first message, which names the client, always
/// passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Events {
    /// They pass.
    #[default]
    Untouched,
    /// They are lost. The stream stays open.
    Lost,
    /// Each arrives twice.
    Doubled,
    /// Each pair arrives in reverse order.
    Shuffled,
    /// Random text arrives between them.
    Garbled,
    /// Lines end with CRLF.
    CarriageReturns,
    /// The next one is followed by a message of this many bytes.
    Flooded(usize),
    /// Each arrives this many times.
    Stormy(usize),
    /// Each is cut in the middle of a UTF-8 character.
    CutLetters,
}

/// How long the first of a pair waits for the second.
const PAIR_WAITS: Duration = Duration::from_millis(400);
const NONSENSE: &[u8] = "event:nonsense/*\ndata:{\"action\":\"\u{fe0f}\",\"record\":{\"id\":\"' || 1=1\"}}".as_bytes();

/// A chunked answer of an event stream, decoded and encoded again.
#[derive(Default)]
pub struct Reshaped {
    /// Bytes that are not a whole chunk yet.
    raw: Vec<u8>,
    /// Decoded bytes that are not a whole message yet.
    text: Vec<u8>,
    headers_passed: bool,
    connected: bool,
    held: Option<(Vec<u8>, Instant)>,
}

impl Reshaped {
    /// Takes bytes in, and returns the bytes to pass on.
    pub fn take(&mut self, bytes: &[u8], events: Events) -> Vec<u8> {
        self.raw.extend_from_slice(bytes);
        let mut out = Vec::new();
        if !self.headers_passed {
            let Some(end) = find(&self.raw, b"\r\n\r\n") else { return out };
            out.extend(self.raw.drain(..end + 4));
            self.headers_passed = true;
        }
        self.dechunk();
        while let Some(end) = find(&self.text, b"\n\n") {
            let message: Vec<u8> = self.text.drain(..end + 2).take(end).collect();
            self.reshape(message, events, &mut out);
        }
        out
    }

    /// The time until which a message is held back.
    pub fn held_since(&self) -> Option<Instant> {
        self.held.as_ref().map(|(_, until)| *until)
    }

    /// Takes the messages that were held back.
    pub fn let_go(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some((message, _)) = self.held.take() {
            put(&message, &mut out);
        }
        out
    }

    fn dechunk(&mut self) {
        while let Some(end) = find(&self.raw, b"\r\n") {
            let size = std::str::from_utf8(&self.raw[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
            let Some(size) = size.filter(|size| self.raw.len() >= end + 2 + size + 2) else { return };
            self.text.extend_from_slice(&self.raw[end + 2..end + 2 + size]);
            self.raw.drain(..end + 2 + size + 2);
        }
    }

    fn reshape(&mut self, message: Vec<u8>, events: Events, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.connected, true) {
            return put(&message, out);
        }
        match events {
            Events::Untouched => put(&message, out),
            Events::Lost => {}
            Events::Doubled => {
                put(&message, out);
                put(&message, out);
            }
            Events::Shuffled => match self.held.take() {
                None => self.held = Some((message, Instant::now() + PAIR_WAITS)),
                Some((before, _)) => {
                    put(&message, out);
                    put(&before, out);
                }
            },
            Events::Garbled => {
                put(NONSENSE, out);
                put(&message, out);
            }
            Events::CarriageReturns => {
                let text = String::from_utf8_lossy(&message).replace('\n', "\r\n") + "\r\n\r\n";
                chunk(text.as_bytes(), out);
            }
            Events::Flooded(size) => {
                put(&message, out);
                put(&[b"event:flood\ndata:".as_slice(), &vec![b'x'; size]].concat(), out);
            }
            Events::Stormy(times) => (0..times).for_each(|_| put(&message, out)),
            Events::CutLetters => put(&[&message, "\u{20ac}".as_bytes().split_at(2).0].concat(), out),
        }
    }
}

fn put(message: &[u8], out: &mut Vec<u8>) {
    chunk(&[message, b"\n\n"].concat(), out);
}

fn chunk(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    fn through(events: Events, pieces: usize) -> String {
        let mut sent = HEAD.to_vec();
        for message in ["event:PB_CONNECT", "event:a", "event:b"] {
            put(message.as_bytes(), &mut sent);
        }
        let mut stream = Reshaped::default();
        let mut out: Vec<u8> = sent.chunks(pieces).flat_map(|piece| stream.take(piece, events)).collect();
        out.extend(stream.let_go());
        let mut got = Reshaped { raw: out.split_off(HEAD.len()), ..Reshaped::default() };
        assert_eq!(out, HEAD);
        got.dechunk();
        String::from_utf8(got.text).expect("text")
    }

    #[test]
    fn events_are_reshaped_wherever_the_bytes_were_cut() {
        let connect = "event:PB_CONNECT\n\n";
        for pieces in [1, 7, 1000] {
            assert_eq!(through(Events::Untouched, pieces), format!("{connect}event:a\n\nevent:b\n\n"));
            assert_eq!(through(Events::Lost, pieces), connect);
            assert_eq!(through(Events::Shuffled, pieces), format!("{connect}event:b\n\nevent:a\n\n"));
            assert_eq!(through(Events::Doubled, pieces).matches("event:a").count(), 2);
        }
    }
}
