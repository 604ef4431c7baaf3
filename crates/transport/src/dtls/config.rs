//! What every DTLS connection has in common, made once: dimpl tries each of its algorithms whenever a configuration is
//! made, which costs more than a handshake.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dimpl::Config;

use super::settings::PACKET_BYTES;

const FIRST_RETRY: Duration = Duration::from_millis(400);
/// The timer doubles each time, so the timeout ends a handshake and not this number.
const RETRIES: usize = 30;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn config(packet_bytes: usize) -> Arc<Config> {
    static USUAL: OnceLock<Arc<Config>> = OnceLock::new();
    if packet_bytes == PACKET_BYTES {
        return Arc::clone(USUAL.get_or_init(|| Arc::new(make(PACKET_BYTES))));
    }
    Arc::new(make(packet_bytes))
}

fn make(packet_bytes: usize) -> Config {
    Config::builder()
        .mtu(packet_bytes)
        .flight_start_rto(FIRST_RETRY)
        .flight_retries(RETRIES)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        // ICE has made sure of the peer's address; a cookie would cost a round trip.
        .use_server_cookie(false)
        .build()
        .expect("the settings are constant and were tried")
}
