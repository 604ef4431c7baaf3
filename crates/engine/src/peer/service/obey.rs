//! What the owner of a data path says is done.

use std::net::SocketAddr;

use peerline_transport::data_channel::ChannelError;
use peerline_transport::dtls::DtlsSettings;
use peerline_transport::ice::Gathering;

use super::{Asking, PeerService};
use crate::peer::command::PeerCommand;
use crate::peer::event::PeerEvent;
use crate::service::Io;

impl PeerService {
    pub(super) fn obey(&mut self, io: &mut Io<'_>, command: PeerCommand) {
        let now = io.now;
        match command {
            PeerCommand::Gather(addresses) => self.gather(io, &addresses),
            PeerCommand::AskStun { server, url } => {
                let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
                self.gatherings.push((Gathering::start(now, &bases, &[server]), url));
            }
            PeerCommand::AskTurn(asked) => {
                let bases: Vec<SocketAddr> = self.sockets.addresses().collect();
                self.relays.ask(io, &bases, self.settings.ports.as_ref(), *asked);
            }
            PeerCommand::AskedAll => self.gathering = self.gathering.and(Some(Asking::All)),
            PeerCommand::SetRemoteCredentials(credentials) => {
                // Their letters were checked before.
                let _ = self.session.ice().set_remote_credentials(now, credentials);
            }
            PeerCommand::AddRemoteCandidate(line) => self.add_remote(now, line),
            PeerCommand::EndOfRemoteCandidates => self.session.ice().end_of_remote_candidates(now),
            PeerCommand::SetControlling(is_controlling) => {
                self.session.ice().set_controlling(is_controlling);
                self.is_controlling = is_controlling;
            }
            PeerCommand::Restart(credentials) => {
                self.ufrag.clone_from(&credentials.ufrag);
                io.ports.name(io.handle, &self.ufrag);
                self.session.ice().restart_with(now, credentials);
                self.relays.begin_generation();
                self.gatherings.clear();
                self.gathering = None;
            }
            PeerCommand::AbortRestart => {
                self.session.ice().abort_restart(now);
                self.relays.abort_generation();
                self.ufrag.clone_from(&self.session.ice().local_credentials().ufrag);
                io.ports.name(io.handle, &self.ufrag);
                self.gatherings.clear();
                self.gathering = None;
            }
            PeerCommand::StartDtls(role, fingerprints) => {
                let settings = DtlsSettings { versions: self.settings.versions, ..DtlsSettings::new(role) };
                // That there is one was checked before.
                let _ = self.session.start_dtls(now, settings, fingerprints);
            }
            PeerCommand::StartSctp { local_port, remote_port } => {
                self.session.start_sctp(now, &self.session_settings, local_port, remote_port);
            }
            PeerCommand::SetRemoteMaxMessageBytes(bytes) => self.session.channels().set_remote_max_message_size(bytes),
            PeerCommand::OpenChannel(asked) => {
                let channel = asked.channel;
                match self.session.channels().open(now, asked.settings) {
                    Ok(key) => self.names.insert(channel, key),
                    Err(_) => {
                        let error = Some(ChannelError::NoStream);
                        self.news.push(PeerEvent::ChannelClosed { channel, error });
                    }
                }
            }
            PeerCommand::Send { channel, kind, bytes } => {
                // One that the other side has closed meanwhile takes nothing, as W3C has it.
                if let Some(key) = self.names.key(channel) {
                    let len = bytes.len();
                    if self.session.channels().send(now, key, kind, bytes).is_ok() {
                        self.names.given(channel, len);
                    }
                }
            }
            PeerCommand::CloseChannel(channel) => match self.names.key(channel) {
                Some(key) => self.session.channels().close(now, key),
                None => self.news.push(PeerEvent::ChannelClosed { channel, error: None }),
            },
            PeerCommand::CommitMedia(plan) => self.session.commit_media(now, *plan),
            PeerCommand::SendFrames { section, frames } => {
                for frame in &frames {
                    // Before the path stands, and after the section's end, nobody would see it.
                    let _ = self.session.send_frame(now, section, frame);
                }
            }
            PeerCommand::Listen { section, is_listened_to } => {
                if let Some(media) = self.session.media() {
                    media.listen(section, is_listened_to);
                }
            }
            PeerCommand::RequestKeyFrame { section } => {
                if let Some(media) = self.session.media() {
                    media.request_key_frame(section);
                }
            }
            PeerCommand::Stats(token) => {
                let numbers = self.stats(now);
                let media = self.session.media().map(|media| Box::new(media.stats(now)));
                self.news.push(PeerEvent::Stats { token, numbers, channels: self.names.counts(), media });
            }
        }
    }
}
