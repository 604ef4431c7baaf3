//! The connections between TCP relays and peers of one shard (RFC 6062 §5): being made, waiting for a client, or joined
//! with a connection of its client.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use foldhash::fast::RandomState;

use crate::credentials::LongTermKey;
use crate::host::{AllocationId, ConnectionId, Host, RelayId};
use crate::reply::{Asked, Seal};
use crate::request::Integrity;

/// A peer has more than 30 seconds to accept (RFC 6062 §5.2): the clock counts whole ones.
pub(crate) const CONNECT_S: u32 = 31;
/// So long a connection waits for its client (RFC 6062 §5.2, §5.3).
pub(crate) const BIND_S: u32 = 30;
/// More in one shard are not ours to hold.
const MAX: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) allocation: AllocationId,
    pub(crate) relay: RelayId,
    pub(crate) peer: SocketAddr,
    pub(crate) state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    /// The client waits for the answer to its Connect.
    Connecting {
        asked: Pending,
        gives_up_s: u32,
    },
    /// The client has been told, and is to come with a ConnectionBind.
    Waiting {
        gives_up_s: u32,
    },
    Joined,
}

/// What an answer that comes later needs.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    pub(crate) key: LongTermKey,
    pub(crate) integrity: Integrity,
}

impl Pending {
    pub(crate) fn seal(&self) -> Seal<'_> {
        Seal { key: &self.key, integrity: self.integrity }
    }
}

#[derive(Debug)]
pub(crate) struct Connections {
    /// Keys are chosen by us.
    by_id: HashMap<ConnectionId, Connection, RandomState>,
    /// Those that do not last, by when they give up.
    due: BTreeSet<(u32, ConnectionId)>,
    /// The shard that a number belongs to is its remainder by how many there are.
    shard: u32,
    shards: u32,
}

impl Default for Connections {
    fn default() -> Self {
        Self { by_id: HashMap::default(), due: BTreeSet::new(), shard: 0, shards: 1 }
    }
}

impl Connections {
    pub(crate) fn divide(&mut self, shard: u32, shards: u32) {
        (self.shard, self.shards) = (shard, shards.max(1));
    }

    /// The shard where this connection is, or was; `None`: it is this one.
    pub(crate) fn elsewhere(&self, id: ConnectionId) -> Option<u32> {
        Some(id.0 % self.shards).filter(|shard| *shard != self.shard)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.by_id.len() < MAX
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.by_id.get(&id)
    }

    /// A number that no connection has, and nobody can guess.
    pub(crate) fn new_id(&self, host: &mut dyn Host) -> ConnectionId {
        loop {
            let mut bytes = [0; 4];
            host.random(&mut bytes);
            let number = u32::from_be_bytes(bytes);
            let id = ConnectionId((number - number % self.shards).saturating_add(self.shard));
            if self.elsewhere(id).is_none() && !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }

    pub(crate) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.due.extend(connection.state.gives_up_s().map(|due_s| (due_s, id)));
        self.by_id.insert(id, connection);
    }

    /// Says what it was before; `None`: there is no such connection.
    pub(crate) fn change(&mut self, id: ConnectionId, state: State) -> Option<State> {
        let connection = self.by_id.get_mut(&id)?;
        let next_s = state.gives_up_s();
        let before = std::mem::replace(&mut connection.state, state);
        if let Some(due_s) = before.gives_up_s() {
            self.due.remove(&(due_s, id));
        }
        self.due.extend(next_s.map(|due_s| (due_s, id)));
        Some(before)
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let gone = self.by_id.remove(&id)?;
        if let Some(due_s) = gone.state.gives_up_s() {
            self.due.remove(&(due_s, id));
        }
        Some(gone)
    }

    /// One that nobody has taken in time.
    pub(crate) fn first_due(&self, now_s: u32) -> Option<ConnectionId> {
        self.due.first().filter(|(due_s, _)| *due_s <= now_s).map(|(_, id)| *id)
    }

    pub(crate) fn is_patient(&self) -> bool {
        self.due.is_empty()
    }
}

impl State {
    fn gives_up_s(&self) -> Option<u32> {
        match self {
            Self::Connecting { gives_up_s, .. } | Self::Waiting { gives_up_s } => Some(*gives_up_s),
            Self::Joined => None,
        }
    }
}
