//! How fast: a bucket that needs one number (the generic cell rate algorithm).

use crate::settings::{Quotas, Rate, is_reached};

const NS_PER_S: u64 = 1_000_000_000;
/// A flow may be this far ahead of its rate: video comes in bursts.
const DEPTH_NS: u64 = NS_PER_S;

/// Also of who has no limit: as many as there are channels.
const MAX_PERMISSIONS: usize = 4096;

/// When the bucket will be full again, in nanoseconds of the server's time.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket(u64);

impl Bucket {
    /// Takes what costs this long to flow back, if it is there.
    fn take(&mut self, now_ns: u64, cost_ns: u64, depth_ns: u64) -> bool {
        let after = self.0.max(now_ns).saturating_add(cost_ns);
        let has = after <= now_ns + depth_ns;
        if has {
            self.0 = after;
        }
        has
    }

    /// Takes it even if it is not there, and says how long until that is made good.
    fn owe(&mut self, now_ns: u64, cost_ns: u64, depth_ns: u64) -> u64 {
        self.0 = self.0.max(now_ns).saturating_add(cost_ns);
        self.0.saturating_sub(now_ns + depth_ns)
    }
}

/// How much may pass, and how much has.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    rate: Rate,
    packets: Bucket,
    bits: Bucket,
}

impl Flow {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, packets: Bucket::default(), bits: Bucket::default() }
    }

    #[inline]
    pub(crate) fn admit(&mut self, now_ns: u64, packets: u32, bytes: u32) -> bool {
        let Rate { packets_per_s, bits_per_s } = self.rate;
        let cost = |units: u64, per_s: u64| units.saturating_mul(NS_PER_S) / per_s;
        (packets_per_s == 0 || self.packets.take(now_ns, cost(packets.into(), packets_per_s.into()), DEPTH_NS))
            && (bits_per_s == 0 || self.bits.take(now_ns, cost(u64::from(bytes) * 8, bits_per_s), DEPTH_NS))
    }

    /// Says for how many nanoseconds a stream has to pause when so much of it has passed. Packets are not counted.
    pub(crate) fn admit_stream(&mut self, now_ns: u64, bytes: u32) -> u64 {
        let cost_ns = (u64::from(bytes) * 8).saturating_mul(NS_PER_S).checked_div(self.rate.bits_per_s);
        cost_ns.map_or(0, |cost_ns| self.bits.owe(now_ns, cost_ns, DEPTH_NS))
    }
}

/// The limits of one allocation and how far they are used.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    quotas: Quotas,
    pub(crate) flow: Flow,
    new_peers: Bucket,
}

impl Meter {
    pub(crate) fn new(quotas: Quotas) -> Self {
        let Quotas { packets_per_s, bits_per_s, .. } = quotas;
        Self { quotas, flow: Flow::new(Rate { packets_per_s, bits_per_s }), new_peers: Bucket::default() }
    }

    pub(crate) fn admit_new_peer(&mut self, now_ns: u64) -> bool {
        let Quotas { new_peers_per_s, new_peers_burst, .. } = self.quotas;
        let Some(cost_ns) = NS_PER_S.checked_div(new_peers_per_s.into()) else { return true };
        self.new_peers.take(now_ns, cost_ns, cost_ns * u64::from(new_peers_burst.max(1)))
    }

    pub(crate) fn has_room_for_permission(&self, count: usize) -> bool {
        !is_reached(self.quotas.permissions, count) && count < MAX_PERMISSIONS
    }

    pub(crate) fn has_room_for_channel(&self, count: usize) -> bool {
        !is_reached(self.quotas.channels, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_packets_passes_at_once_and_then_the_rate() {
        let quotas = Quotas { packets_per_s: 100, bits_per_s: 0, ..Quotas::UNLIMITED };
        let mut meter = Meter::new(quotas);
        assert_eq!((0..500).filter(|_| meter.flow.admit(0, 1, 1000)).count(), 100);
        assert_eq!((0..500).filter(|_| meter.flow.admit(NS_PER_S / 2, 1, 1000)).count(), 50);
        assert!(Meter::new(quotas).flow.admit(0, 100, 0));
        assert!(!Meter::new(quotas).flow.admit(0, 101, 0));
    }

    #[test]
    fn bits_are_limited_by_themselves_and_no_limit_is_none() {
        let mut meter = Meter::new(Quotas { bits_per_s: 8000, ..Quotas::UNLIMITED });
        assert_eq!((0..50).filter(|_| meter.flow.admit(0, 1, 100)).count(), 10);
        let mut meter = Meter::new(Quotas::UNLIMITED);
        assert!(meter.flow.admit(0, u32::MAX, u32::MAX) && meter.admit_new_peer(0));
    }

    #[test]
    fn a_stream_that_is_too_fast_is_told_how_long_to_pause() {
        let mut meter = Meter::new(Quotas { bits_per_s: 8000, ..Quotas::UNLIMITED });
        assert_eq!(
            (meter.flow.admit_stream(0, 500), meter.flow.admit_stream(0, 500)),
            (0, 0),
            "a second of it at once"
        );
        assert_eq!(meter.flow.admit_stream(0, 2000), 2 * NS_PER_S, "nothing is dropped, so it is owed");
        assert_eq!(meter.flow.admit_stream(2 * NS_PER_S, 100), NS_PER_S / 10);
        assert_eq!(meter.flow.admit_stream(10 * NS_PER_S, 1000), 0);
        assert_eq!(Meter::new(Quotas::UNLIMITED).flow.admit_stream(0, u32::MAX), 0);
    }

    #[test]
    fn new_peers_come_in_a_burst_and_then_slowly() {
        let mut meter = Meter::new(Quotas::default());
        assert_eq!((0..100).filter(|_| meter.admit_new_peer(0)).count(), 32);
        assert_eq!((0..100).filter(|_| meter.admit_new_peer(NS_PER_S)).count(), 5);
    }
}
