//! From a peer to the client: four bytes before each datagram, or a Data indication around it (RFC 8656 §11.3, §12.7).

use std::ops::Range;

use peerline_turn::{AllocationId, Direction, PeerRoute, RelayId};

use crate::service::Io;
use crate::turn::plane::TurnPlane;
use crate::turn::routes::Route;

impl TurnPlane {
    /// What has come to this relay, from `first` on in the ring.
    pub(crate) fn handle_downlink(&mut self, io: &mut Io<'_>, relay: RelayId, allocation: AllocationId, first: usize) {
        for index in first..io.ring.received().len() {
            let received = io.ring.received()[index];
            let peer = received.source;
            let route = self.machine.peer(allocation, relay, peer);
            if matches!(route, PeerRoute::Dropped) {
                io.counters.turn.no_permission.add(1);
                continue;
            }
            let Some(to) = self.route(allocation) else { continue };
            let (packets, bytes) = received.datagrams().fold((0, 0), |(n, sum), at| (n + 1, sum + at.end - at.start));
            if !self.machine.admit(io.now, allocation, packets, bytes) {
                io.counters.turn.over_quota.add(u64::from(packets));
                continue;
            }
            for at in received.datagrams() {
                let len = at.end - at.start;
                match route {
                    PeerRoute::Channel(number) => {
                        let ([n1, n2], [l1, l2]) = (number.to_be_bytes(), (len as u16).to_be_bytes());
                        self.send_down(io, to, &[n1, n2, l1, l2], at, 0);
                    }
                    PeerRoute::Indication => {
                        let mut head = [0; 64];
                        let head_len = self.machine.write_data_indication(peer, len as usize, &mut head);
                        let padding = len.next_multiple_of(4) - len;
                        self.send_down(io, to, &head[..head_len], at, padding as usize);
                    }
                    PeerRoute::Dropped => {}
                }
            }
            self.machine.count_relayed(allocation, Direction::Down, packets, bytes);
            io.counters.turn.relayed_down.add(u64::from(packets));
        }
    }

    #[inline]
    fn send_down(&mut self, io: &Io<'_>, to: Route, head: &[u8], at: Range<u32>, padding: usize) {
        match to {
            Route::Datagram { listener, client, source_ip } => {
                self.listeners[listener].outgoing.push(client, source_ip, head, at, padding);
            }
            Route::Stream(index) => self.push_to_stream(io, index, head, at),
        }
    }
}
