"""addIceCandidate (W3C WebRTC 4.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidStateError, OperationError
from peerline.eventloop import Promise, queue_task
from peerline.sdp import Candidate, SdpError
from peerline.webrtc.ice_candidate import RTCIceCandidate, RTCLocalIceCandidateInit, parse_candidate

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection_base import ConnectionBase

__all__ = ["add_ice_candidate"]

_WHAT = "RTCPeerConnection.addIceCandidate"


def add_ice_candidate(connection: ConnectionBase, candidate: Any, members: Mapping[str, Any]) -> Promise[None]:
    """Chained behind what is under way. Raises TypeError for what says of no section that it belongs to it."""
    if candidate is None and isinstance(members.get("candidate"), RTCIceCandidate):
        candidate, members = members["candidate"], {}
    if not isinstance(candidate, RTCIceCandidate) or members:
        init = RTCLocalIceCandidateInit(candidate, **members)
        if init.candidate and init.sdpMid is None and init.sdpMLineIndex is None:
            raise TypeError("the candidate needs sdpMid or sdpMLineIndex")
        candidate = RTCIceCandidate._made(init, parse_candidate(init.candidate))
    return connection._chain(_Addition(connection, candidate).start, _WHAT)


class _Addition:
    def __init__(self, connection: ConnectionBase, given: RTCIceCandidate) -> None:
        self._connection = connection
        self._given = given
        self._outcome: Promise[None] = Promise(_WHAT)

    def start(self) -> Promise[None]:
        """Check it, and add it in a task of its own."""
        session, given = self._connection._session, self._given
        if session.remote is None:
            raise InvalidStateError(
                "there is no remote description yet",
                hint="Keep candidates until setRemoteDescription has been called.",
            )
        index = given.sdpMLineIndex if given.sdpMid is None else None
        if self._is_of_stopped(given.sdpMid, index):
            return Promise.resolved(None)
        sections = session.sections_of_candidate(given.sdpMid, index, given.usernameFragment)
        queue_task("networking", self._add, sections)
        return self._outcome

    def _is_of_stopped(self, mid: str | None, index: int | None) -> bool:
        return any(
            one.is_stopped and (one.mid == mid if mid is not None else one.index == index and index is not None)
            for one in self._connection._session.transceivers
        )

    def _add(self, sections: list[int]) -> None:
        connection, given = self._connection, self._given
        if connection._is_closed:
            return
        parsed = given._parsed
        if parsed is None and given.candidate:
            try:
                parsed = Candidate.parse(given.candidate)
            except SdpError as error:
                self._outcome.reject(OperationError(error.message, hint=error.hint))
                return
        ufrag = given.usernameFragment or (parsed.ufrag if parsed is not None else None)
        connection._session.add_remote_candidate(parsed, sections, ufrag)
        is_for_all = given.sdpMid is None and given.sdpMLineIndex is None
        for index in sections if is_for_all else sections[:1]:
            connection._transports.add_remote_candidate(self._placed(index, ufrag), [index], ufrag)
        self._outcome.resolve(None)

    def _placed(self, index: int, ufrag: str | None) -> RTCIceCandidate:
        """With all that is known of its place."""
        given, remote = self._given, self._connection._session.remote
        assert remote is not None
        if given.sdpMid is not None and given.sdpMLineIndex is not None and given.usernameFragment == ufrag:
            return given
        mid = given.sdpMid if given.sdpMid is not None else remote.sections[index].mid
        return RTCIceCandidate(candidate=given.candidate, sdpMid=mid, sdpMLineIndex=index, usernameFragment=ufrag)
