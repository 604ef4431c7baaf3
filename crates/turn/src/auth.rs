//! Who is it? The long-term credential mechanism (RFC 8489 §9.2.4), without memory of anybody who is not known yet.

use aws_lc_rs::digest;
use peerline_wire::stun::kind;

use crate::credentials::{Algorithm, LongTermKey, passwords};
use crate::nonce::{NonceKeys, PASSWORD_ALGORITHMS, USERNAME_ANONYMITY, features_of};
use crate::request::{Integrity, Request};
use crate::settings::Settings;
use crate::tuple::FiveTuple;

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
    match keys.is_good(nonce, tuple, unix_s, settings.nonce_lifetime.as_secs()) {
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
