//! Candidates: those of the other side, and our own, from sockets, STUN servers and relays (RFC 8445 §5.1).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use peerline_transport::ice::{Candidate, GatheringEvent};

use super::{Asking, PeerService};
use crate::peer::event::PeerEvent;
use crate::peer::related::with_related;
use crate::peer::relay::RelayNews;
use crate::service::Io;

impl PeerService {
    pub(super) fn gather(&mut self, io: &mut Io<'_>, addresses: &[IpAddr]) {
        if self.sockets.addresses().next().is_none() {
            for ip in addresses {
                let opened = match self.settings.shared_port {
                    Some(port) => self.sockets.share(io, *ip, port),
                    None => self.sockets.open(io, *ip, self.settings.ports.as_ref()),
                };
                // An address that has just gone, or whose ports are taken, is no reason to fail: the others are left.
                if let Err(error) = opened {
                    let base = SocketAddr::new(*ip, self.settings.shared_port.unwrap_or(0));
                    let reason = Cow::Owned(format!("no socket: {error}"));
                    self.news.push(PeerEvent::CandidateFailed { base, url: String::new(), code: 701, reason });
                }
            }
            io.ports.name(io.handle, &self.ufrag);
        }
        self.gathering = Some(Asking::Open);
        let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
        for base in bases {
            if let Ok(candidate) = Candidate::host(base, "udp") {
                self.add_local(io.now, candidate, base, None);
            }
        }
    }

    fn add_local(&mut self, now: Instant, candidate: Candidate, address: SocketAddr, url: Option<String>) {
        self.add_local_related(now, candidate, address, url, None);
    }

    /// `related`: where our own end of it is seen, unless that is to be hidden.
    fn add_local_related(
        &mut self,
        now: Instant,
        candidate: Candidate,
        address: SocketAddr,
        url: Option<String>,
        related: Option<SocketAddr>,
    ) {
        let Some(line) = self.session.ice().add_local_candidate(now, candidate) else { return };
        let line = if url.is_none() { self.advertised(line, address) } else { line };
        let line = related.map_or_else(|| line.clone(), |related| with_related(&line, related));
        self.local_lines.push((address, line.clone()));
        self.news.push(PeerEvent::CandidateFound { ufrag: self.ufrag.clone(), line, url });
    }

    /// The line as others are to see it: the fifth word is the address (RFC 8839 §5.1).
    fn advertised(&self, line: String, address: SocketAddr) -> String {
        match self.settings.advertised {
            Some(ip) if ip.is_ipv4() == address.is_ipv4() => {
                let ip = ip.to_string();
                let word = |(at, word): (usize, &str)| if at == 4 { ip.clone() } else { word.to_owned() };
                line.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
            }
            _ => line,
        }
    }

    pub(super) fn add_remote(&mut self, now: Instant, line: String) {
        let mut words = line.split(' ').skip(4);
        let address = words.next().and_then(|ip| ip.parse::<IpAddr>().ok());
        let port = words.next().and_then(|port| port.parse::<u16>().ok());
        if self.session.ice().add_remote_candidate(now, &line).is_ok()
            && let (Some(ip), Some(port)) = (address, port)
        {
            self.remote_lines.push((SocketAddr::new(ip, port), line));
        }
    }

    pub(super) fn poll_gathering(&mut self, now: Instant) {
        let mut at = 0;
        while let Some((gathering, url)) = self.gatherings.get_mut(at) {
            let Some(event) = gathering.poll_event() else {
                at += 1;
                continue;
            };
            match event {
                GatheringEvent::Reflexive { base, mapped, .. } => {
                    let url = url.clone();
                    if let Ok(candidate) = Candidate::server_reflexive(mapped, base, "udp") {
                        self.add_local(now, candidate, mapped, Some(url));
                    }
                }
                GatheringEvent::Error { base, code, .. } => {
                    let reason = if code == 701 { "the server did not answer" } else { "the server refused" };
                    let reason = Cow::Borrowed(reason);
                    self.news.push(PeerEvent::CandidateFailed { base, url: url.clone(), code, reason });
                }
                GatheringEvent::Done => {
                    self.gatherings.remove(at);
                }
            }
        }
        if self.gathering == Some(Asking::All) && self.gatherings.is_empty() && !self.relays.is_asking() {
            self.gathering = None;
            self.session.ice().end_of_local_candidates(now);
            self.news.push(PeerEvent::GatheringFinished { ufrag: self.ufrag.clone() });
        }
    }

    pub(super) fn poll_relays(&mut self, io: &Io<'_>) {
        if !self.session.ice().is_restarting() {
            self.relays.end_generation(io.now);
        }
        self.relays.advance(io, self.settings.ports.as_ref());
        while let Some(news) = self.relays.poll_news() {
            match news {
                RelayNews::Found { relayed, base, mapped, url } => {
                    if let Ok(candidate) = Candidate::relayed(relayed, base, "udp") {
                        // Who shows only relays hides where it is itself.
                        let related = mapped.filter(|_| !self.settings.is_relay_only);
                        self.add_local_related(io.now, candidate, relayed, Some(url), related);
                    }
                }
                RelayNews::Failed { base, url, code, reason } => {
                    let reason = Cow::Owned(reason);
                    self.news.push(PeerEvent::CandidateFailed { base, url, code, reason });
                }
                RelayNews::Gone { relayed } => self.session.ice().remove_local_address(io.now, relayed),
            }
        }
    }
}
