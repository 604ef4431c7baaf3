//! Packets that are asked for again (RFC 4585 §6.2.1): at once, and then after each round trip.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// So many can be missing; where it is more, a key frame is the shorter way.
const MAX_MISSING: usize = 512;
const MAX_TRIES: u8 = 10;
/// Not sooner than this, however near the other side is.
const MIN_PATIENCE: Duration = Duration::from_millis(15);

#[derive(Debug, Clone, Default)]
pub(super) struct Missing {
    packets: BTreeMap<u64, Asked>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    next: Option<Instant>,
    tries: u8,
}

impl Missing {
    /// Those from `first` on and before `end` did not come. False: they are too many.
    pub(super) fn add(&mut self, first: u64, end: u64) -> bool {
        if self.packets.len() as u64 + (end - first) > MAX_MISSING as u64 {
            self.packets.clear();
            return false;
        }
        self.packets.extend((first..end).map(|number| (number, Asked::default())));
        true
    }

    /// It came after all; says whether it had been asked for.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        self.packets.remove(&number).is_some_and(|asked| asked.tries > 0)
    }

    /// Nobody waits for those before `number` any more.
    pub(super) fn forget_before(&mut self, number: u64) {
        if self.packets.first_key_value().is_some_and(|(first, _)| *first < number) {
            self.packets = self.packets.split_off(&number);
        }
    }

    /// When to ask for something; in the past: now.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.packets.values().filter(|asked| asked.tries < MAX_TRIES).map(|asked| asked.next.unwrap_or(now)).min()
    }

    /// Those that are to be asked for now.
    pub(super) fn take_due(&mut self, now: Instant, round_trip: Duration, into: &mut Vec<u16>) {
        let patience = round_trip.max(MIN_PATIENCE) + MIN_PATIENCE;
        for (number, asked) in &mut self.packets {
            if asked.tries < MAX_TRIES && asked.next.is_none_or(|next| next <= now) {
                *asked = Asked { next: Some(now + patience), tries: asked.tries + 1 };
                into.push(*number as u16);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(missing: &mut Missing, now: Instant) -> Vec<u16> {
        let mut found = Vec::new();
        missing.take_due(now, Duration::from_millis(50), &mut found);
        found
    }

    #[test]
    fn it_is_asked_at_once_and_again_after_a_round_trip_until_it_comes() {
        let (now, mut missing) = (Instant::now(), Missing::default());
        assert!(missing.add(70_000, 70_003));
        assert_eq!(due(&mut missing, now), [4464, 4465, 4466]);
        assert!(due(&mut missing, now + Duration::from_millis(40)).is_empty());
        assert!(missing.remove(70_001));
        assert_eq!(due(&mut missing, now + Duration::from_millis(70)), [4464, 4466]);
        missing.forget_before(70_002);
        assert_eq!(due(&mut missing, now + Duration::from_millis(140)), [4466]);
        assert!(!missing.remove(70_000));
    }

    #[test]
    fn it_gives_up_and_asks_for_no_thousands() {
        let (mut now, mut missing) = (Instant::now(), Missing::default());
        assert!(missing.add(1, 2));
        for _ in 0..MAX_TRIES {
            assert_eq!(due(&mut missing, now), [1]);
            now += Duration::from_secs(1);
        }
        assert!(due(&mut missing, now).is_empty() && missing.due(now).is_none());
        assert!(!missing.add(2, 5000) && missing.due(now).is_none());
    }
}
