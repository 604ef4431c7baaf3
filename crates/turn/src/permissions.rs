//! Whom an allocation may hear and reach, by address (RFC 8656 §9).

use std::net::IpAddr;

const LIFETIME_S: u32 = 300;

/// Sorted: without a channel every packet looks here.
#[derive(Debug, Default)]
pub(crate) struct Permissions(Vec<Permission>);

#[derive(Debug, Clone, Copy)]
struct Permission {
    ip: IpAddr,
    expires_s: u32,
}

impl Permissions {
    #[inline]
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        self.position(ip).is_ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Creates or renews.
    pub(crate) fn insert(&mut self, ip: IpAddr, now_s: u32) {
        let expires_s = now_s + LIFETIME_S;
        match self.position(ip) {
            Ok(index) => self.0[index].expires_s = expires_s,
            Err(index) => self.0.insert(index, Permission { ip, expires_s }),
        }
    }

    pub(crate) fn expire(&mut self, now_s: u32) {
        self.0.retain(|permission| permission.expires_s > now_s);
    }

    pub(crate) fn remove_family_of(&mut self, ip: IpAddr) {
        self.0.retain(|permission| permission.ip.is_ipv4() != ip.is_ipv4());
    }

    /// When the first of them ends.
    pub(crate) fn next_due_s(&self) -> Option<u32> {
        self.0.iter().map(|permission| permission.expires_s).min()
    }

    fn position(&self, ip: IpAddr) -> Result<usize, usize> {
        self.0.binary_search_by_key(&ip, |permission| permission.ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_lasts_five_minutes_from_when_it_was_last_asked_for() {
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        let mut permissions = Permissions::default();
        for last in [7, 3, 9, 3] {
            permissions.insert(ip(last), 0);
        }
        assert_eq!((permissions.len(), permissions.next_due_s()), (3, Some(300)));
        permissions.insert(ip(3), 100);
        permissions.expire(299);
        assert!([3, 7, 9].into_iter().all(|last| permissions.contains(ip(last))) && !permissions.contains(ip(4)));
        permissions.expire(300);
        assert!(permissions.contains(ip(3)) && !permissions.contains(ip(7)));
        permissions.remove_family_of("::1".parse().unwrap());
        assert_eq!(permissions.next_due_s(), Some(400));
        permissions.remove_family_of(ip(1));
        assert_eq!((permissions.len(), permissions.next_due_s()), (0, None));
    }
}
