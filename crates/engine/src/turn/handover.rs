//! A client's connection that came to one shard and belongs to another (RFC 6062 §5.4).

use crate::service::Io;
use crate::turn::command::TurnCommand;
use crate::turn::plane::TurnPlane;
use crate::turn::relays::Hands;
use crate::turn::stream::Stream;

impl TurnPlane {
    /// Gives a connection to the shard that it belongs to, with what has come on it.
    pub(crate) fn hand_over(&mut self, io: &mut Io<'_>, index: usize, shard: u32, bytes: Vec<u8>) {
        let Some(stream) = self.streams.remove(io, index) else { return };
        // What it has asked here, and is not answered yet, would be for nobody.
        let Self { machine, relays, .. } = self;
        machine.client_gone(stream.tuple, &mut Hands { relays, io });
        // One that has to go nowhere is closed here.
        let _ = self.place.siblings.tell(shard, TurnCommand::TakeOver { stream, bytes });
        self.count_connections(io);
    }

    /// Takes a connection that another shard has had.
    pub(crate) fn take_over(&mut self, io: &mut Io<'_>, mut stream: Box<Stream>, bytes: &[u8]) {
        let (tuple, is_crowded) = (stream.tuple, self.streams.is_crowded());
        stream.is_dirty = false;
        let Some(index) = (!is_crowded).then(|| self.streams.adopt(io, stream).ok()).flatten() else {
            io.counters.turn.refused_connections.add(1);
            return;
        };
        self.count_connections(io);
        let at = io.ring.lend(|slot| {
            slot[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        });
        if !self.handle_stream(io, index, tuple, at) {
            io.counters.turn.malformed.add(1);
            self.disconnect(io, index);
        }
        // What has come in between, and what the peer has sent, is looked for when the poll tells of its new socket.
    }
}
