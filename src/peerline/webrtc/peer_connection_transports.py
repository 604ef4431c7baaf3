"""Carries out what descriptions mean for transports, and sums their states up (W3C WebRTC 4.4.1.3, 4.4.1.5, 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peerline.events import Event
from peerline.jsep import Credentials, TransportPlan
from peerline.sdp import Candidate
from peerline.webrtc.events import (
    RTCDataChannelEvent,
    RTCPeerConnectionIceErrorEvent,
    RTCPeerConnectionIceEvent,
)
from peerline.webrtc.ice_candidate import RTCIceCandidate
from peerline.webrtc.media_plan import Carried, media_plan
from peerline.webrtc.peer_connection_states import (
    RTCIceConnectionState,
    RTCIceGatheringState,
    RTCPeerConnectionState,
    connection_state,
    gathering_state,
    ice_connection_state,
)
from peerline.webrtc.peer_transport import IceCredentials, PeerTransport

if TYPE_CHECKING:
    from peerline.engine.media import ReceivedFrame
    from peerline.webrtc.data_channel import RTCDataChannel
    from peerline.webrtc.peer_connection_base import ConnectionBase
    from peerline.webrtc.sctp_transport import RTCSctpTransport

__all__ = ["ConnectionTransports"]


class _Told:
    """What a transport has been told so far."""

    def __init__(self, transport: PeerTransport, plan: TransportPlan) -> None:
        self.transport = transport
        self.local = plan.local
        self.before_restart: Credentials | None = None
        self.remote: Credentials | None = None
        self.is_dtls_started = False
        self.candidates: set[tuple[str | None, str]] = set()


class ConnectionTransports:
    """The `TransportOwner` of a connection's transports."""

    def __init__(self, connection: ConnectionBase) -> None:
        self._connection = connection
        self._told: dict[int, _Told] = {}
        self._data: PeerTransport | None = None
        self._is_data_started = False
        self.ice_connection: RTCIceConnectionState = "new"
        self.ice_gathering: RTCIceGatheringState = "new"
        self.connection: RTCPeerConnectionState = "new"

    # What descriptions mean ------------------------------------------------------------------------

    def commit(self, *, is_local: bool, is_final: bool) -> None:
        """Make, change and end transports, so that they are as the session's layout says.

        `is_local`: a description of ours was set, so that candidates may be gathered; `is_final`: an answer was set.
        Senders and receivers show their transports then, and after a rollback.
        """
        session = self._connection._session
        layout = session.layout
        for key, plan in layout.transports.items():
            told = self._told.get(key)
            if told is None:
                told = self._told[key] = self._make(plan)
            told.transport.mid, told.transport.line_index = plan.mid, plan.index
            self._tell(told, plan, is_final=is_final)
        if is_local or is_final or session.signaling_state == "stable":
            self._commit_data(is_final=is_final)
            self._commit_slots()
            self.commit_media()
        elif self._data is None:
            self._commit_data(is_final=False)
        # What was agreed before goes on until there is an answer: the offer may be taken back.
        kept = session.stable.layout.transports if session.stable is not None else {}
        for key in [key for key in self._told if key not in layout.transports and key not in kept]:
            self._told.pop(key).transport.end()
        if is_local or is_final:
            for told in self._told.values():
                told.transport.gather()
        self._take_remote_candidates()

    def configure(self) -> None:
        """setConfiguration was called."""
        for told in self._told.values():
            told.transport.set_configuration(self._connection._configuration)

    def add_remote_candidate(self, candidate: RTCIceCandidate, sections: list[int], ufrag: str | None) -> None:
        """One that addIceCandidate was given. One of a transport that BUNDLE gave up goes nowhere."""
        session = self._connection._session
        for key in {session.layout.carriers[index] for index in sections if index < len(session.layout.carriers)}:
            told = self._told.get(-1 if key is None else key)
            if told is None or not self._is_for(told, sections, ufrag):
                continue
            self._add(told, candidate, ufrag)

    def of(self, index: int | None) -> PeerTransport | None:
        """The transport of a media section."""
        plan = self._connection._session.layout.of(index)
        told = self._told.get(plan.key) if plan is not None else None
        return told.transport if told is not None else None

    @property
    def sctp(self) -> RTCSctpTransport | None:
        """The one transport of data channels."""
        return self._data.sctp if self._data is not None else None

    @property
    def all(self) -> list[PeerTransport]:
        """Every transport."""
        return [told.transport for told in self._told.values()]

    def close(self) -> None:
        """The connection is closed: no events."""
        for told in self._told.values():
            told.transport.close()
        self.ice_connection, self.connection = "closed", "closed"

    def update(self) -> Callable[[], None]:
        """Compute the states now; what is returned fires the events of those that changed."""
        connection = self._connection
        used = self._used()
        gathering = gathering_state([transport.ice.gatheringState for transport in used])
        ice = ice_connection_state([transport.ice.state for transport in used])
        whole = connection_state(ice, [transport.dtls.state for transport in used])
        names = []
        if gathering != self.ice_gathering:
            names.append("icegatheringstatechange")
        if ice != self.ice_connection:
            names.append("iceconnectionstatechange")
        if whole != self.connection:
            names.append("connectionstatechange")
        if whole == "connected" != self.connection and connection._session.signaling_state == "stable":
            connection._session.rest()
        self.ice_gathering, self.ice_connection, self.connection = gathering, ice, whole

        def fire_events() -> None:
            for name in names:
                connection._fire(Event(name))
                if name == "icegatheringstatechange" and gathering == "complete":
                    # For all transports at once, as browsers do it: it tells older programs that they have them all.
                    connection._fire(RTCPeerConnectionIceEvent("icecandidate", {"candidate": None}))
            connection._wake_waiting()

        return fire_events

    # What transports say (see TransportOwner) ------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether the connection is."""
        return self._connection._is_closed

    def transport_changed(self, transport: PeerTransport) -> Callable[[], None]:
        """ICE or DTLS has another state."""
        return self.update()

    def gathering_changed(self, transport: PeerTransport) -> Callable[[], None]:
        """Gathering has another state."""
        return self.update()

    def candidate_found(self, transport: PeerTransport, candidate: RTCIceCandidate) -> None:
        """One of our own, or (an empty one) the end of a generation."""
        session = self._connection._session
        ufrag = candidate.usernameFragment or ""
        if candidate.candidate:
            session.add_local_candidate(ufrag, candidate._parsed or Candidate.parse(candidate.candidate))
        else:
            session.end_local_candidates(ufrag)
        event = RTCPeerConnectionIceEvent("icecandidate", {"candidate": candidate, "url": candidate.url})
        self._connection._fire(event)

    def candidate_failed(
        self, transport: PeerTransport, address: str | None, port: int | None, url: str, code: int, text: str
    ) -> None:
        """A server gave none."""
        members = {"address": address, "port": port, "url": url, "errorCode": code, "errorText": text}
        self._connection._fire(RTCPeerConnectionIceErrorEvent("icecandidateerror", members))

    def channel_announced(self, channel: RTCDataChannel) -> None:
        """The other side has opened a channel."""
        self._connection._fire(RTCDataChannelEvent("datachannel", {"channel": channel}))

    def source_started(self, section: int, ssrc: int) -> None:
        """See TransportOwner."""
        self._connection._media.source_started(section)

    def source_ended(self, section: int, ssrc: int) -> None:
        """See TransportOwner."""
        self._connection._media.source_ended(section)

    def frames_received(self, section: int, frames: list[ReceivedFrame]) -> None:
        """See TransportOwner."""
        self._connection._media.frames_received(section, frames)

    def key_frame_wanted(self, section: int) -> None:
        """See TransportOwner."""
        self._connection._media.key_frame_wanted(section)

    def loss_changed(self, section: int, percent: int) -> None:
        """See TransportOwner."""
        self._connection._media.loss_changed(section, percent)

    def estimate_changed(self, transport: PeerTransport, bitrate_bps: int) -> None:
        """See TransportOwner."""
        self._connection._media.estimate_changed(transport, bitrate_bps)

    # Media -----------------------------------------------------------------------------------------

    def commit_media(self) -> None:
        """Tell every transport what it carries: after descriptions, and when a sender changed."""
        connection = self._connection
        session = connection._session
        local, remote = session.current_local or session.local, session.current_remote or session.remote
        carried: dict[int, list[Carried]] = {key: [] for key in self._told}
        for transceiver in connection._transceivers:
            state = transceiver._negotiated
            plan = session.layout.of(state.index)
            path, theirs = None, None
            if plan is not None and not state.is_stopped and plan.key in carried:
                ours = local.section(state.index) if local is not None else None
                theirs = remote.section(state.index) if remote is not None else None
                carried[plan.key].append(Carried(transceiver, ours, theirs))
                path = self._told[plan.key].transport
            transceiver._sender._commit(path, theirs)
        for key, of_it in carried.items():
            self._told[key].transport.media.commit(media_plan(session.settings.cname, of_it))
        for transceiver in connection._transceivers:
            transceiver._receiver._commit(local)

    # Inside ----------------------------------------------------------------------------------------

    def _make(self, plan: TransportPlan) -> _Told:
        connection = self._connection
        transport = PeerTransport(
            self, connection._configuration, connection._certificate, connection._tuning,
            IceCredentials(plan.local.ufrag, plan.local.password),
        )  # fmt: skip
        transport.set_controlling(plan.is_controlling)
        return _Told(transport, plan)

    def _tell(self, told: _Told, plan: TransportPlan, *, is_final: bool) -> None:
        if plan.local != told.local:
            if plan.local == told.before_restart:
                told.transport.abort_restart()
                told.before_restart = None
            else:
                told.before_restart = told.local
                told.transport.restart(IceCredentials(plan.local.ufrag, plan.local.password))
            told.local = plan.local
        if plan.remote is not None and plan.remote != told.remote:
            told.transport.set_remote_credentials(plan.remote.ufrag, plan.remote.password)
            told.remote = plan.remote
        if is_final:
            told.before_restart = None
        if plan.role is not None and not told.is_dtls_started:
            told.transport.start_dtls(plan.role == "active", _trustworthy(plan))
            told.is_dtls_started = True

    def _commit_data(self, *, is_final: bool) -> None:
        session = self._connection._session
        transport = self.of(session.data_index)
        if transport is None:
            if self._data is not None:
                self._data.drop_sctp()
        elif self._data is None:
            transport.expect_sctp(self._connection._channels)
        elif self._data is not transport and self._is_data_started:
            # Another peer answers now (RFC 8842, section 4): the association with the one before ends.
            self._connection._channels.lose(self._data, "another peer has answered")
            self._data.end()
            transport.expect_sctp(self._connection._channels)
        elif self._data is not transport:
            transport.take_sctp(self._data)
        plan = session.data if is_final else None
        self._is_data_started &= self._data is transport
        self._data = transport
        if plan is not None and transport is not None:
            self._is_data_started = True
            transport.start_sctp(plan.local_port, plan.remote_port, plan.remote_max_message_bytes)

    def _commit_slots(self) -> None:
        for transceiver in self._connection._transceivers:
            if not transceiver._negotiated.is_stopped:
                transport = self.of(transceiver._negotiated.index)
                dtls = transport.dtls if transport is not None else None
                transceiver._sender._transport = transceiver._receiver._transport = dtls

    def _used(self) -> list[PeerTransport]:
        """Those that a transceiver or the data channels refer to."""
        layout = self._connection._session.layout
        used = {key for key in layout.carriers if key is not None}
        return [told.transport for key, told in self._told.items() if key in used]

    def _take_remote_candidates(self) -> None:
        """Those that stand in the description, each for the transport of its section and in its generation."""
        session = self._connection._session
        remote = session.remote
        if remote is None:
            return
        for index, media in enumerate(remote.sections):
            told = self._told.get(plan.key) if (plan := session.layout.of(index)) is not None else None
            ice = remote.ice_of(media)
            if told is None or ice is None or told.remote is None or ice[0] != told.remote.ufrag:
                continue
            lines = [line.value for line in media.attributes("candidate")]
            for line in [*lines, ""] if media.has_all_candidates else lines:
                if (ice[0], line) not in told.candidates:
                    self._add(told, RTCIceCandidate._of_line(line, media.mid, index, ice[0]), ice[0])

    def _is_for(self, told: _Told, sections: list[int], ufrag: str | None) -> bool:
        """Whether a candidate of these sections reaches this transport: until an answer bundles them, they have
        transports of their own, whose generations have other user fragments."""
        if told.remote is None or ufrag is not None:
            return told.remote is None or ufrag == told.remote.ufrag
        remote = self._connection._session.remote
        assert remote is not None
        named = {ice[0] for index in sections if (ice := remote.ice_of(remote.sections[index]))}
        return not named or told.remote.ufrag in named

    def _add(self, told: _Told, candidate: RTCIceCandidate, ufrag: str | None) -> None:
        key = (ufrag or (told.remote.ufrag if told.remote is not None else None), candidate.candidate)
        if key not in told.candidates:
            told.candidates.add(key)
            told.transport.add_remote_candidate(candidate)


def _trustworthy(plan: TransportPlan) -> list[str]:
    """The fingerprints by hashes that nobody can forge. Where there is none, negotiation succeeds, and DTLS finds that
    the certificate is not the one that was meant: no certificate has this hash."""
    found = [str(one) for one in plan.fingerprints if one.algorithm.lower() in ("sha-256", "sha-384", "sha-512")]
    return found or [f"sha-256 {':'.join(['00'] * 32)}"]
