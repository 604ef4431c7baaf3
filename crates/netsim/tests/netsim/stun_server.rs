//! A STUN server on a host of its own (RFC 8489).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use peerline_netsim::{Packet, Peer};
use peerline_wire::stun::binding::{BindingRequest, MAX_ANSWER_LEN};

pub(crate) const STUN: &str = "192.0.2.250:3478";

#[derive(Default)]
pub(crate) struct StunServer {
    answers: VecDeque<Packet>,
}

impl Peer for StunServer {
    fn handle_input(&mut self, _now: Instant, packet: &Packet) {
        let here: SocketAddr = STUN.parse().unwrap();
        let Ok(request) = BindingRequest::parse(&packet.bytes) else { return };
        if packet.to == here {
            let mut buffer = [0; MAX_ANSWER_LEN];
            let bytes = request.answer(packet.source, &mut buffer).bytes(&buffer).to_vec();
            self.answers.push_back(Packet { source: here, to: packet.source, bytes });
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant) -> Option<Packet> {
        self.answers.pop_front()
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}
