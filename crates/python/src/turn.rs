//! TURN settings as Python gives them: attributes of a plain object, checked here once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use peerline_engine::{Discovery, Network, Own, OwnIp, PeerPolicy, Quotas, Rate, RateLimit, Secret, Settings, User};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// See `peerline.turnserver.settings`, which says what each of them means.
#[derive(FromPyObject)]
pub(crate) struct SettingsIn {
    realm: String,
    secrets: Vec<Vec<u8>>,
    users: Vec<(String, String)>,
    allow: Vec<String>,
    deny: Vec<String>,
    own_addresses: Vec<String>,
    open_ports: Vec<(u16, u16)>,
    closed_ports: Vec<u16>,
    quotas: QuotasIn,
    static_quotas: QuotasIn,
    max_allocations: u32,
    total_packets_per_s: u32,
    total_bits_per_s: u64,
    answers_per_second: Option<u32>,
    answers_burst: u32,
    nonce_lifetime_s: u64,
    asks_owner: bool,
    mobility: bool,
    discovery: Vec<DiscoveryIn>,
    tcp_relays: bool,
    tcp_connections: u32,
}

#[derive(FromPyObject)]
struct DiscoveryIn {
    /// Each as it is bound and as clients are told.
    ips: ((String, String), (String, String)),
    ports: (u16, u16),
}

#[derive(FromPyObject)]
struct QuotasIn {
    allocations: u32,
    permissions: u32,
    channels: u32,
    new_peers_per_s: u32,
    new_peers_burst: u32,
    packets_per_s: u32,
    bits_per_s: u64,
}

impl From<QuotasIn> for Quotas {
    fn from(quotas: QuotasIn) -> Self {
        let QuotasIn { allocations, permissions, channels, .. } = quotas;
        let QuotasIn { new_peers_per_s, new_peers_burst, packets_per_s, bits_per_s, .. } = quotas;
        Self { allocations, permissions, channels, new_peers_per_s, new_peers_burst, packets_per_s, bits_per_s }
    }
}

impl SettingsIn {
    pub(crate) fn check(self) -> PyResult<Arc<Settings>> {
        let own = Own {
            addresses: addresses(&self.own_addresses)?,
            open_ports: self.open_ports.into_iter().map(|(first, last)| first..=last).collect(),
            closed_ports: self.closed_ports,
        };
        if self.realm.is_empty() || self.realm.len() > 127 {
            return Err(PyValueError::new_err("realm must have 1 to 127 bytes"));
        }
        Ok(Arc::new(Settings {
            realm: self.realm,
            secrets: self.secrets.into_iter().map(Secret).collect(),
            users: self.users.into_iter().map(|(name, password)| User { name, password }).collect(),
            policy: PeerPolicy { allow: networks(&self.allow)?, deny: networks(&self.deny)?, own },
            quotas: self.quotas.into(),
            static_quotas: self.static_quotas.into(),
            max_allocations: self.max_allocations,
            total: Rate { packets_per_s: self.total_packets_per_s, bits_per_s: self.total_bits_per_s },
            answers: self.answers_per_second.map(|per_second| RateLimit { per_second, burst: self.answers_burst }),
            nonce_lifetime: Duration::from_secs(self.nonce_lifetime_s),
            asks_owner: self.asks_owner,
            mobility: self.mobility,
            discovery: self.discovery.into_iter().map(DiscoveryIn::check).collect::<PyResult<_>>()?,
            tcp_relays: self.tcp_relays,
            tcp_connections: self.tcp_connections,
            ..Settings::default()
        }))
    }
}

impl DiscoveryIn {
    fn check(self) -> PyResult<Discovery> {
        let ((first, first_told), (second, second_told)) = self.ips;
        match addresses(&[first, first_told, second, second_told])?[..] {
            [bind, advertise, other, other_told] => Ok(Discovery {
                ips: [OwnIp { bind, advertise }, OwnIp { bind: other, advertise: other_told }],
                ports: [self.ports.0, self.ports.1],
            }),
            _ => Err(PyValueError::new_err("discovery needs two addresses")),
        }
    }
}

pub(crate) fn addresses(texts: &[String]) -> PyResult<Vec<IpAddr>> {
    let parse = |text: &String| text.parse().map_err(|_| PyValueError::new_err(format!("{text:?} is no IP address")));
    texts.iter().map(parse).collect()
}

fn networks(texts: &[String]) -> PyResult<Vec<Network>> {
    let parse = |text: &String| text.parse().map_err(|error| PyValueError::new_err(format!("{text:?}: {error}")));
    texts.iter().map(parse).collect()
}

/// The password of a time-limited user name.
#[pyfunction]
pub(crate) fn rest_password(secret: &[u8], username: &str) -> String {
    peerline_engine::rest_password(secret, username)
}
