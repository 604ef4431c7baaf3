//! What a server has seen, in messages.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Allocations there are now.
    pub allocations: u64,
    /// Connections between TCP relays and peers there are now.
    pub connections: u64,
    /// Allocations made since the beginning.
    pub allocated: u64,
    /// Binding success responses.
    pub bindings: u64,
    /// Error responses to clients that are known, and 420 to Binding requests.
    pub refused: u64,
    /// 400, 401 and 438 to strangers.
    pub unauthorized: u64,
    /// Dropped: no STUN, or a wrong FINGERPRINT.
    pub malformed: u64,
    /// Dropped: responses, indications and methods that are not served.
    pub unserved: u64,
    /// Dropped: their source has had its share of answers.
    pub rate_limited: u64,
}
