"""One data path of a peer connection: ICE, DTLS and SCTP, run by the packet core (docs/decisions/0002).

The owner negotiates and commands; commands never wait. What happens comes as calls of a `TransportListener` on the
loop's thread, in order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from peerline import _core
from peerline.engine.certificate import Certificate
from peerline.engine.engine import Engine
from peerline.engine.media import FrameOut, MediaPlan, ReceivedFrame

__all__ = ["Certificate", "ChannelSettings", "Transport", "TransportListener", "TransportSettings", "ice_credentials"]

PRIORITIES = {"very-low": 128, "low": 256, "medium": 512, "high": 1024}


def ice_credentials() -> tuple[str, str]:
    """New random ones: user fragment and password (RFC 8445, section 5.3)."""
    return _core.ice_credentials()


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """What a data path is built with."""

    certificate: Certificate
    ufrag: str
    """With the password: those that our description tells."""
    password: str
    is_controlling: bool
    """Our role in ICE; the offerer controls."""
    is_relay_only: bool = False
    """Only relayed candidates are shown and used."""
    ports: tuple[int, int] | None = None
    """First and last port of our sockets; None: any."""
    shared_port: int | None = None
    """In place of ports of its own: the one port of everybody who names it."""
    advertised: str | None = None
    """An address shown in host candidates in place of the private one of its family."""
    dtls_versions: str = "newest"
    """"newest", "1.2" or "1.3"."""
    max_message_bytes: int = 262_144
    """The largest message that is taken; a larger one closes its channel."""
    streams: int = 1024
    """Streams announced each way."""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What both ends of a data channel agree on (RFC 8832, section 5.1)."""

    label: str
    protocol: str = ""
    ordered: bool = True
    max_retransmits: int | None = None
    max_packet_lifetime_ms: int | None = None
    priority: str = "low"
    negotiated_id: int | None = None
    """The stream that both applications agreed on; None: told in band."""
    stream: int | None = None
    """The stream of one that is told in band, if the owner keeps them: even for the DTLS client, odd for the server."""


class TransportListener(Protocol):
    """What happens on a data path. An exception in one of these is reported and changes nothing."""

    def candidate_found(self, ufrag: str, line: str, url: str | None) -> None:
        """One of ours, of the generation `ufrag`: "candidate:…"; `url`: of the server that it comes from."""

    def candidate_failed(self, address: str, port: int, url: str, code: int, reason: str) -> None:
        """A server gave none to the socket at this address: its code, or 701 if it did not answer."""

    def gathering_finished(self, ufrag: str) -> None:
        """This generation has no more candidates of ours."""

    def ice_state_changed(self, state: str) -> None:
        """new, checking, connected, completed, disconnected or failed."""

    def ice_role_changed(self, is_controlling: bool) -> None:
        """Both sides had the same role, and we gave in (RFC 8445, section 7.3.1.1)."""

    def pair_selected(self, local: str, remote: str) -> None:
        """Data goes between these candidates from now on."""

    def dtls_connecting(self) -> None:
        """The handshake has begun."""

    def dtls_connected(self, version: str, srtp_profile: str | None, certificates: list[bytes]) -> None:
        """The peer is who its fingerprints say; its certificate as DER."""

    def dtls_closed(self) -> None:
        """The peer said goodbye."""

    def dtls_failed(self, reason: str) -> None:
        """wrong-fingerprint, timed-out or handshake. No data of this peer was delivered after."""

    def sctp_connected(self, streams: int) -> None:
        """Channels may use streams below this number."""

    def sctp_closed(self, is_failure: bool) -> None:
        """All channels were closed before. `is_failure`: the other side ended it, or broke the protocol."""

    def channel_announced(self, channel: int, settings: ChannelSettings) -> None:
        """The other side has opened a channel; `channel_opened` follows."""

    def channel_opened(self, channel: int, stream: int) -> None:
        """It is open both ways, on this stream."""

    def messages_received(self, channel: int, messages: list[str | bytes]) -> None:
        """In order."""

    def bytes_sent(self, channel: int, amount: int) -> None:
        """So much of what was given to `send` has left the queue."""

    def channel_closing(self, channel: int) -> None:
        """The other side, or an error, closes it: nothing comes from it any more."""

    def channel_closed(self, channel: int, error: str | None) -> None:
        """The last of a channel. `error`: why, if nobody closed it."""

    def source_started(self, section: int, ssrc: int) -> None:
        """The first packet of a source of this media section has come."""

    def source_ended(self, section: int, ssrc: int) -> None:
        """It says goodbye."""

    def frames_received(self, section: int, frames: list[ReceivedFrame]) -> None:
        """Of a section that is listened to, in order."""

    def key_frame_wanted(self, section: int) -> None:
        """The other side cannot show what this section sends without a picture that stands alone."""

    def loss_changed(self, section: int, percent: int) -> None:
        """Of a hundred packets of this section so many are to be expected not to arrive."""

    def estimate_changed(self, bitrate_bps: int) -> None:
        """So much the path carries, as far as is known; at most ten times a second."""

    def transport_failed(self, reason: str) -> None:
        """A bug ended it; nothing else comes."""


class Transport:
    """Opens at once; sockets exist from `gather` on. Raises LoopError and OSError as `shared_engine` does."""

    def __init__(self, engine: Engine, settings: TransportSettings, listener: TransportListener) -> None:
        self._engine = engine
        self._listener = listener
        self._channels = itertools.count()
        self._stats: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._stats_token = itertools.count()
        self._is_closed = False
        self._core = _core.Peer(engine.core, _CoreSettings(settings))
        engine.listen(self._core.handle, self._on_news)

    def gather(self, addresses: Sequence[str]) -> None:
        """Host candidates on these local addresses follow. In a new generation the same sockets are shown again."""
        self._core.gather(list(addresses))

    def ask_stun(self, ip: str, port: int, url: str) -> None:
        """Ask a server how it sees our sockets, between `gather` and `asked_all`."""
        self._core.ask_stun(ip, port, url)

    def ask_turn(
        self, protocol: str, ip: str, port: int, server_name: str, username: str, password: str, url: str
    ) -> None:
        """Ask a server for a relayed address, between `gather` and `asked_all`; that of an earlier generation will do.

        `protocol`: "udp", "tcp" or "tls". Over TLS the server has to show a certificate for `server_name` by an
        authority that this system trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name; raises OSError if there
        is none.
        """
        self._core.ask_turn(protocol, ip, port, server_name, username, password, url)

    def asked_all(self) -> None:
        """No more servers will be named: `gathering_finished` comes when all have answered or were given up."""
        self._core.asked_all()

    def set_remote_credentials(self, ufrag: str, password: str) -> None:
        """Of the remote description."""
        self._core.set_remote_credentials(ufrag, password)

    def add_remote_candidate(self, line: str) -> None:
        """ "candidate:…" with an IP address; what cannot be used is left out."""
        self._core.add_remote_candidate(line)

    def end_of_remote_candidates(self) -> None:
        """The other side has no more of this generation."""
        self._core.end_of_remote_candidates()

    def set_controlling(self, is_controlling: bool) -> None:
        """Our role in ICE."""
        self._core.set_controlling(is_controlling)

    def restart(self, ufrag: str, password: str) -> None:
        """A new generation with these credentials; `gather` follows. What works goes on meanwhile."""
        self._core.restart(ufrag, password)

    def abort_restart(self) -> None:
        """The restart did not happen."""
        self._core.abort_restart()

    def start_dtls(self, is_client: bool, fingerprints: Sequence[str]) -> None:
        """Who begins, and who the peer is: "sha-256 AB:…" each. Raises ValueError if none of them can be used."""
        self._core.start_dtls(is_client, list(fingerprints))

    def start_sctp(self, local_port: int, remote_port: int, remote_max_message_bytes: int) -> None:
        """Data channels were negotiated; before any is opened. 0 bytes: no limit."""
        self._core.start_sctp(local_port, remote_port, remote_max_message_bytes)

    def set_remote_max_message_bytes(self, size: int) -> None:
        """What a new description says of it; 0: no limit."""
        self._core.set_remote_max(size)

    def open_channel(self, settings: ChannelSettings) -> int:
        """Its number here, for as long as it lives."""
        channel = next(self._channels)
        self._core.open_channel(channel, _CoreChannel(settings))
        return channel

    def send_text(self, channel: int, text: str) -> None:
        """Queue a message on an open channel. The sizes were checked."""
        self._core.send_text(channel, text)

    def send_bytes(self, channel: int, data: bytes) -> None:
        """The same for bytes, which are copied."""
        self._core.send_bytes(channel, data)

    def close_channel(self, channel: int) -> None:
        """What is queued goes first; `channel_closed` follows."""
        self._core.close_channel(channel)

    def commit_media(self, plan: MediaPlan) -> None:
        """What descriptions agree on of media, from now on. Sources that stay go on where they were."""
        self._core.commit_media(plan)

    def send_frames(self, section: int, frames: Sequence[FrameOut]) -> None:
        """Send these, in order. What comes before the path stands, or is not agreed on, is dropped."""
        self._core.send_frames(section, frames)

    def listen(self, section: int, is_listened_to: bool) -> None:
        """Whether frames of this section are wanted; at first they are not."""
        self._core.listen(section, is_listened_to)

    def request_key_frame(self, section: int) -> None:
        """Ask the other side for a picture that stands alone."""
        self._core.request_key_frame(section)

    async def stats(self) -> dict[str, Any]:
        """Counters by name: packets_sent, bytes_received, round_trip_us … Empty once it is closed.

        Those of the selected pair are there once there is one; `channels` holds those of each channel, by its number.
        """
        if self._is_closed:
            return {}
        token = next(self._stats_token)
        self._stats[token] = asyncio.get_running_loop().create_future()
        self._core.stats(token)
        try:
            return await self._stats[token]
        finally:
            del self._stats[token]

    def close(self) -> None:
        """Tell the other side, and free the sockets; the listener hears no more. Twice is fine."""
        if not self._is_closed:
            self._end()
            if not self._engine.is_closed:
                self._core.close()

    # Inside --------------------------------------------------------------------------------------

    def _on_news(self, name: str | None, details: tuple[Any, ...]) -> None:
        """From the engine's reader; no name: it is gone."""
        if self._is_closed:
            return
        if name is None:
            self._end()
            self._listener.transport_failed(str(details[0]))
        elif name == "stats_taken":
            token, numbers = details
            waiting = self._stats.get(token)
            if waiting is not None and not waiting.done():
                waiting.set_result(numbers)
        elif name == "channel_announced":
            channel, (label, protocol, ordered, retransmits, lifetime_ms, priority) = details
            word = min(PRIORITIES, key=lambda word: abs(PRIORITIES[word] - priority))
            settings = ChannelSettings(label, protocol, ordered, retransmits, lifetime_ms, word)
            self._listener.channel_announced(channel, settings)
        elif name == "frames_received":
            section, frames = details
            self._listener.frames_received(section, [ReceivedFrame._make(frame) for frame in frames])
        else:
            getattr(self._listener, name)(*details)

    def _end(self) -> None:
        self._is_closed = True
        self._engine.unlisten(self._core.handle)
        for waiting in self._stats.values():
            if not waiting.done():
                waiting.set_result({})


class _CoreSettings:
    """As the core reads them."""

    def __init__(self, settings: TransportSettings) -> None:
        self.certificate = settings.certificate.core
        for name in ("ufrag", "password", "is_controlling", "is_relay_only", "ports", "shared_port", "advertised"):
            setattr(self, name, getattr(settings, name))
        for name in ("dtls_versions", "max_message_bytes", "streams"):
            setattr(self, name, getattr(settings, name))


class _CoreChannel:
    def __init__(self, settings: ChannelSettings) -> None:
        for name in ("label", "protocol", "ordered", "max_retransmits", "max_packet_lifetime_ms"):
            setattr(self, name, getattr(settings, name))
        for name in ("negotiated_id", "stream"):
            setattr(self, name, getattr(settings, name))
        self.priority = PRIORITIES[settings.priority]
