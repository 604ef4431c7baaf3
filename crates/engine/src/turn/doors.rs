//! What clients of a TURN server come to: one socket for each shard on every address (RFC 8656 §2.1).

use mio::net::UdpSocket;
use peerline_turn::Transport;

use crate::engine::ListenAddress;
use crate::error::EngineError;
use crate::tcp::listen_shared;
use crate::turn::TurnConfig;
use crate::turn::certificate::Certificate;
use crate::turn::connections::Acceptor;
use crate::udp::bind_shared;

/// Those of one shard.
#[derive(Debug)]
pub(crate) struct Doors {
    pub(crate) listeners: Vec<UdpSocket>,
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) certificate: Option<Certificate>,
}

/// Those of each shard, and where they really are.
pub(crate) fn open(config: &TurnConfig, shards: usize) -> Result<(Vec<Doors>, Vec<ListenAddress>), EngineError> {
    let closed = || Doors { listeners: Vec::new(), acceptors: Vec::new(), certificate: config.certificate.clone() };
    let mut doors: Vec<Doors> = (0..shards).map(|_| closed()).collect();
    let mut addresses = Vec::new();
    for &(transport, address) in &config.listen {
        if transport == Transport::Tls && config.certificate.is_none() {
            return Err(EngineError::Invalid("TLS needs a certificate"));
        }
        if transport == Transport::Udp {
            let sockets = bind_shared(address, shards)?;
            addresses.push((transport, sockets[0].local_addr()?));
            doors.iter_mut().zip(sockets).for_each(|(door, socket)| door.listeners.push(socket));
        } else {
            let sockets = listen_shared(address, shards)?;
            addresses.push((transport, sockets[0].local_addr()?));
            let acceptors = sockets.into_iter().map(|socket| Acceptor { socket, transport });
            doors.iter_mut().zip(acceptors).for_each(|(door, acceptor)| door.acceptors.push(acceptor));
        }
    }
    Ok((doors, addresses))
}
