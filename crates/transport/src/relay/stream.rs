//! What comes over TCP or TLS, cut into messages again (RFC 8656 §12.5, RFC 8489 §6.2.2).

use peerline_wire::frame::Frame;

/// A message and its header are never longer.
const MAX_MESSAGE_LEN: usize = 20 + 65_536;
/// A buffer that has grown beyond this is given back when it is empty.
const KEPT_LEN: usize = 16 * 1024;

/// Bytes of the stream that are not whole messages yet. It keeps one message and one delivery at most.
#[derive(Debug, Default)]
pub struct RelayStream {
    buffer: Vec<u8>,
    /// What was taken already.
    taken: usize,
}

/// What came is neither STUN nor ChannelData, so that nothing that follows can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamBroken;

impl std::fmt::Display for StreamBroken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server's stream is neither STUN nor ChannelData")
    }
}

impl std::error::Error for StreamBroken {}

impl RelayStream {
    /// What was read. All messages are to be taken before the next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, without the padding behind it; for [`Relay::handle_input`](super::Relay::handle_input).
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, StreamBroken> {
        let rest = &self.buffer[self.taken..];
        let (len, used) = match Frame::first(rest) {
            Frame::Message { len } => (len, len),
            Frame::ChannelData { len, used } => (len, used),
            Frame::Partial if rest.len() < MAX_MESSAGE_LEN => {
                self.give_back();
                return Ok(None);
            }
            Frame::Partial | Frame::Malformed => return Err(StreamBroken),
        };
        let start = self.taken;
        self.taken += used;
        Ok(Some(&self.buffer[start..start + len]))
    }

    fn give_back(&mut self) {
        if self.taken == self.buffer.len() && self.buffer.capacity() > KEPT_LEN {
            *self = Self::default();
        }
    }
}
