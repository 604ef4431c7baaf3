//! Who is it? The long-term credential mechanism (RFC 8489 §9.2.4), without memory of anybody who is not known yet.

use aws_lc_rs::digest;
use peerline_wire::stun::kind;

use crate::credentials::{Algorithm, LongTermKey, passwords};
use crate::nonce::{NONCE_LEN, NonceKeys, PASSWORD_ALGORITHMS, USERNAME_ANONYMITY, features_of};
use crate::request::{Integrity, Request};
use crate::settings::Settings;
use crate::tuple::{FiveTuple, Transport};

/// What we offer: number and length of parameters of each, strongest first.
pub(crate) const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

/// A client that knows its password.
#[derive(Debug)]
pub(crate) struct Authenticated {
    pub(crate) username: String,
    pub(crate) key: LongTermKey,
    pub(crate) integrity: Integrity,
}

/// Why it is nobody we know; none of these is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// 401, with what it needs to try again.
    Unauthorized,
    /// 438, with a fresh nonce.
    StaleNonce,
    /// 400
    Malformed,
}

/// Who already has an allocation here: its password stays good for it when its time-limited name has expired.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) username: &'a str,
    pub(crate) key: &'a LongTermKey,
}

/// A nonce for this client, and for nobody else. Where there are relays for TCP a client comes with several connections
/// (RFC 6062 §4.3), each of which has shown where it is: there, what the first has learned is good for all.
pub(crate) fn make_nonce(
    settings: &Settings,
    keys: &NonceKeys,
    tuple: &FiveTuple,
    unix_s: u64,
    features: u32,
) -> [u8; NONCE_LEN] {
    let tuple = if settings.tcp_relays { of_any_connection(tuple) } else { *tuple };
    keys.make(&tuple, unix_s, features)
}

/// Whether such a nonce is this client's, and not too old. Switching relays for TCP on or off makes none stale.
fn is_good_nonce(settings: &Settings, keys: &NonceKeys, nonce: &[u8], tuple: &FiveTuple, unix_s: u64) -> bool {
    let is_good = |tuple: &FiveTuple| keys.is_good(nonce, tuple, unix_s, settings.nonce_lifetime.as_secs());
    is_good(tuple) || tuple.transport != Transport::Udp && is_good(&of_any_connection(tuple))
}

fn of_any_connection(tuple: &FiveTuple) -> FiveTuple {
    let mut any = *tuple;
    if tuple.transport != Transport::Udp {
        any.client.set_port(0);
    }
    any
}

pub(crate) fn features(settings: &Settings) -> u32 {
    // A hash of a name can only be looked up among names that are known.
    let hashes = if settings.secrets.is_empty() { USERNAME_ANONYMITY } else { 0 };
    PASSWORD_ALGORITHMS | hashes
}

pub(crate) fn authenticate(
    request: &Request<'_>,
    settings: &Settings,
    keys: &NonceKeys,
    tuple: &FiveTuple,
    unix_s: u64,
    known: Option<Known<'_>>,
) -> Result<Authenticated, Stranger> {
    let integrity = request.integrity().ok_or(Stranger::Unauthorized)?;
    let nonce = request.find(kind::NONCE).ok_or(Stranger::Malformed)?.value;
    let realm = request.text(kind::REALM).ok_or(Stranger::Malformed)?;
    let algorithm = algorithm(request, nonce).ok_or(Stranger::Malformed)?;
    let username = match (request.find(kind::USERNAME), request.find(kind::USERHASH)) {
        (Some(_), _) => request.text(kind::USERNAME).ok_or(Stranger::Malformed)?.to_owned(),
        (None, Some(hash)) => by_hash(settings, hash.value).ok_or(Stranger::Unauthorized)?,
        (None, None) => return Err(Stranger::Malformed),
    };
    if realm != settings.realm {
        return Err(Stranger::Unauthorized);
    }
    let key = match known {
        Some(known) if known.username == username && request.is_sealed_with(integrity, known.key) => known.key.clone(),
        _ => passwords(settings, &username, unix_s)
            .iter()
            .map(|password| LongTermKey::derive(algorithm, &username, realm, password))
            .find(|key| request.is_sealed_with(integrity, key))
            .ok_or(Stranger::Unauthorized)?,
    };
    match is_good_nonce(settings, keys, nonce, tuple, unix_s) {
        true => Ok(Authenticated { username, key, integrity }),
        false => Err(Stranger::StaleNonce),
    }
}

/// The one that client and server agree on. What we offered must come back unchanged: nobody has weakened it.
fn algorithm(request: &Request<'_>, nonce: &[u8]) -> Option<Algorithm> {
    if features_of(nonce).is_none_or(|features| features & PASSWORD_ALGORITHMS == 0) {
        return Some(Algorithm::Md5); // nothing was offered with this nonce
    }
    match (request.find(kind::PASSWORD_ALGORITHMS), request.find(kind::PASSWORD_ALGORITHM)) {
        (None, None) => Some(Algorithm::Md5),
        (Some(offered), Some(chosen)) if offered.value == ALGORITHMS => Algorithm::read(chosen.value),
        _ => None,
    }
}

/// RFC 8489 §14.4
fn by_hash(settings: &Settings, hash: &[u8]) -> Option<String> {
    if features(settings) & USERNAME_ANONYMITY == 0 {
        return None;
    }
    let hash_of = |name: &str| digest::digest(&digest::SHA256, [name, &settings.realm].join(":").as_bytes());
    settings.users.iter().find(|user| hash_of(&user.name).as_ref() == hash).map(|user| user.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_other_connections_only_where_clients_need_several() {
        let tuple = |transport, client: &str| FiveTuple {
            transport,
            client: client.parse().unwrap(),
            server: "192.0.2.1:3478".parse().unwrap(),
        };
        let keys = NonceKeys::from_key(&[7; 32]);
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            for tcp_relays in [false, true] {
                let settings = Settings { tcp_relays, ..Settings::default() };
                let nonce = make_nonce(&settings, &keys, &tuple(transport, "198.51.100.1:5000"), 1000, 0);
                let now = Settings { tcp_relays: !tcp_relays, ..Settings::default() };
                let is_good = |client| is_good_nonce(&now, &keys, &nonce, &tuple(transport, client), 1000);
                assert!(is_good("198.51.100.1:5000"));
                assert_eq!(is_good("198.51.100.1:5001"), tcp_relays && transport != Transport::Udp);
                assert!(!is_good("198.51.100.2:5000"), "but not of another");
            }
        }
    }
}
