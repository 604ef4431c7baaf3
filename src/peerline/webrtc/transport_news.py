"""What the engine tells of a data path becomes states and events of its W3C objects (W3C WebRTC, sections 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from peerline.engine.media import ReceivedFrame
from peerline.engine.transport import ChannelSettings
from peerline.eventloop import queue_task
from peerline.events import Event, EventTarget, fire
from peerline.webrtc.ice_candidate import RTCIceCandidate, RTCIceCandidatePair, parse_candidate
from peerline.webrtc.rtc_error import RTCError, RTCErrorEvent

if TYPE_CHECKING:
    from peerline.webrtc.peer_transport import PeerTransport

_FAILURES = {"wrong-fingerprint": "fingerprint-failure"}


class TransportNews:
    """The `TransportListener` of a PeerTransport. Each call comes in a turn of the loop of its own, or within one."""

    def __init__(self, transport: PeerTransport) -> None:
        self._transport = transport
        self.is_closed = False
        self.pairs = 0
        self.dtls_version: str | None = None
        self.srtp_profile: str | None = None

    # Candidates ------------------------------------------------------------------------------------

    def gathering_began(self) -> None:
        """In a task: sockets are being opened."""
        queue_task("networking", self._gathering, "gathering", None)

    def candidate_found(self, ufrag: str, line: str, url: str | None) -> None:
        """One of ours."""
        transport = self._transport
        if self.is_closed or transport.owner.is_closed or ufrag != transport.credentials.ufrag:
            return
        candidate = self._candidate(line, ufrag, url)
        transport.ice._local.append(candidate)
        transport.owner.candidate_found(transport, candidate)

    def candidate_failed(self, address: str | None, port: int | None, url: str, code: int, reason: str) -> None:
        """A server gave none."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.candidate_failed(self._transport, address, port, url, code, reason)

    def gathering_finished(self, ufrag: str) -> None:
        """There are no more of this generation."""
        self._gathering("complete", ufrag)

    def _gathering(self, state: str, ended: str | None) -> None:
        transport = self._transport
        if self.is_closed or transport.owner.is_closed or transport.ice._gathering == state:
            return
        if ended is not None:
            if ended != transport.credentials.ufrag:
                return
            transport.owner.candidate_found(transport, self._candidate("", ended, None))
            if self.is_closed or transport.owner.is_closed:
                return
        transport.ice._gathering = state
        fire_events = transport.owner.gathering_changed(transport)
        fire(transport.ice, Event("gatheringstatechange"))
        fire_events()

    def _candidate(self, line: str, ufrag: str, url: str | None) -> RTCIceCandidate:
        transport = self._transport
        whole = f"{line} ufrag {ufrag}" if line and " ufrag " not in line else line
        return RTCIceCandidate._of_line(whole, transport.mid, transport.line_index, ufrag, url)

    # ICE -------------------------------------------------------------------------------------------

    def ice_state_changed(self, state: str) -> None:
        """Another state of ICE."""
        ice = self._transport.ice

        def change() -> list[tuple[EventTarget, Event]]:
            ice._state = state
            return [(ice, Event("statechange"))]

        if ice._state != state:
            self._change(change)

    def ice_role_changed(self, is_controlling: bool) -> None:
        """Both sides had the same."""
        self._transport.ice._role = "controlling" if is_controlling else "controlled"

    def pair_selected(self, local: str, remote: str) -> None:
        """Data goes there from now on."""
        if self.is_closed or self._transport.owner.is_closed:
            return
        ice = self._transport.ice
        self.pairs += 1
        ours = self._known(ice._local, local, self._transport.credentials.ufrag)
        theirs = self._known(ice._remote, remote, None)
        ice._pair = RTCIceCandidatePair._made(ours, theirs)
        fire(ice, Event("selectedcandidatepairchange"))

    def _known(self, known: list[RTCIceCandidate], line: str, ufrag: str | None) -> RTCIceCandidate:
        parsed = parse_candidate(line)
        if parsed is not None:
            for one in known:
                if (one.address, one.port, one.type) == (parsed.address, parsed.port, parsed.type):
                    return one
        return RTCIceCandidate._of_line(line, self._transport.mid or "", None, ufrag)

    # DTLS ------------------------------------------------------------------------------------------

    def dtls_connecting(self) -> None:
        """The handshake has begun."""
        self._dtls("connecting")

    def dtls_connected(self, version: str, srtp_profile: str | None, certificates: list[bytes]) -> None:
        """The peer is who it should be."""
        self.dtls_version, self.srtp_profile = version, srtp_profile
        self._transport.dtls._certificates = certificates
        self._dtls("connected")

    def dtls_closed(self) -> None:
        """The peer said goodbye."""
        self._dtls("closed")

    def dtls_failed(self, reason: str) -> None:
        """It is not, or it does not answer."""
        detail = _FAILURES.get(reason, "dtls-failure")
        error = RTCError({"errorDetail": detail}, f"the DTLS handshake failed: {reason}")
        self._dtls("failed", RTCErrorEvent("error", {"error": error}))

    def _dtls(self, state: str, *before: Event) -> None:
        dtls = self._transport.dtls

        def change() -> list[tuple[EventTarget, Event]]:
            dtls._state = state
            return [*((dtls, event) for event in before), (dtls, Event("statechange"))]

        if dtls._state != state:
            self._change(change)

    # SCTP and channels -----------------------------------------------------------------------------

    def sctp_connected(self, streams: int) -> None:
        """Channels may be opened."""
        sctp = self._transport.sctp
        if sctp is not None and not self.is_closed:
            sctp._max_channels, sctp._state = streams, "connected"
            self._channels("connected", streams)
            fire(sctp, Event("statechange"))

    def sctp_closed(self, is_failure: bool) -> None:
        """The other side has ended it."""
        sctp = self._transport.sctp
        if sctp is not None and not self.is_closed and sctp._state != "closed":
            sctp._state = "closed"
            fire(sctp, Event("statechange"))

    def channel_announced(self, channel: int, settings: ChannelSettings) -> None:
        """The other side has opened one."""
        self._channels("announced", channel, settings)

    def channel_opened(self, channel: int, stream: int) -> None:
        """It can be used."""
        self._channels("opened", channel, stream)

    def messages_received(self, channel: int, messages: list[str | bytes]) -> None:
        """In order."""
        channels = self._transport.channels
        if channels is not None and not self.is_closed:
            channels.received(channel, messages)

    def bytes_sent(self, channel: int, amount: int) -> None:
        """They have left the queue."""
        self._channels("sent", channel, amount)

    def channel_closing(self, channel: int) -> None:
        """The other side closes it."""
        self._channels("closing", channel)

    def channel_closed(self, channel: int, error: str | None) -> None:
        """It is gone."""
        self._channels("closed", channel, error)

    def _channels(self, name: str, *details: Any) -> None:
        channels = self._transport.channels
        if channels is not None and not self.is_closed:
            getattr(channels, name)(*details)

    # Media -----------------------------------------------------------------------------------------

    def source_started(self, section: int, ssrc: int) -> None:
        """Something comes."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.source_started(section, ssrc)

    def source_ended(self, section: int, ssrc: int) -> None:
        """It says goodbye."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.source_ended(section, ssrc)

    def frames_received(self, section: int, frames: list[ReceivedFrame]) -> None:
        """In order."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.frames_received(section, frames)

    def key_frame_wanted(self, section: int) -> None:
        """By the other side."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.key_frame_wanted(section)

    def loss_changed(self, section: int, percent: int) -> None:
        """Of packets that leave."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.loss_changed(section, percent)

    def estimate_changed(self, bitrate_bps: int) -> None:
        """Of what the path carries."""
        if not (self.is_closed or self._transport.owner.is_closed):
            self._transport.owner.estimate_changed(self._transport, bitrate_bps)

    # The end ---------------------------------------------------------------------------------------

    def transport_failed(self, reason: str) -> None:
        """A bug in the packet core has ended it."""
        self.ice_state_changed("failed")
        self.dtls_failed(reason)

    def ended(self) -> None:
        """No section uses it any more."""
        ice, dtls = self._transport.ice, self._transport.dtls

        def end() -> None:
            for target, is_open in ((ice, ice._state != "closed"), (dtls, dtls._state != "closed")):
                if is_open:
                    target._state = "closed"
                    fire(target, Event("statechange"))

        self.is_closed = True
        queue_task("networking", end)

    def _change(self, change: Callable[[], list[tuple[EventTarget, Event]]]) -> None:
        transport = self._transport
        if self.is_closed or transport.owner.is_closed:
            return
        events = change()
        fire_events = transport.owner.transport_changed(transport)
        for target, event in events:
            fire(target, event)
        fire_events()
