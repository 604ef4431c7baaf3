"""addIceCandidate (W3C WebRTC 4.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidStateError, OperationError
from peerline.eventloop import Promise, queue_task
from peerline.sdp import Candidate, SdpError
from peerline.webrtc.ice_candidate import RTCIceCandidate, RTCIceCandidateInit

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection_base import ConnectionBase

__all__ = ["add_ice_candidate"]

_WHAT = "RTCPeerConnection.addIceCandidate"


def add_ice_candidate(connection: ConnectionBase, candidate: Any, members: Mapping[str, Any]) -> Promise[None]:
    """Chained behind what is under way. Raises TypeError for what says of no section that it belongs to it."""
    if candidate is None and not isinstance(members.get("candidate", ""), str):
        candidate, members = members["candidate"], {}  # addIceCandidate(candidate=RTCIceCandidate(…))
    given = RTCIceCandidateInit(candidate, **members)
    if given.candidate and given.sdpMid is None and given.sdpMLineIndex is None:
        raise TypeError("the candidate needs sdpMid or sdpMLineIndex")
    return connection._chain(lambda: _Addition(connection, given).start(), _WHAT)


class _Addition:
    def __init__(self, connection: ConnectionBase, given: RTCIceCandidateInit) -> None:
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
        try:
            parsed = _parse(given.candidate) if given.candidate else None
        except SdpError as error:
            self._outcome.reject(OperationError(error.message, hint=error.hint))
            return
        ufrag = given.usernameFragment or (parsed.ufrag if parsed is not None else None)
        connection._session.add_remote_candidate(parsed, sections, ufrag)
        self._tell(sections, ufrag)
        self._outcome.resolve(None)

    def _tell(self, sections: list[int], ufrag: str | None) -> None:
        given = self._given
        for index in sections if given.sdpMid is None and given.sdpMLineIndex is None else sections[:1]:
            media = self._connection._session.remote
            assert media is not None
            candidate = RTCIceCandidate(
                candidate=given.candidate,
                sdpMid=given.sdpMid if given.sdpMid is not None else media.sections[index].mid,
                sdpMLineIndex=index,
                usernameFragment=ufrag,
            )
            self._connection._transports.add_remote_candidate(candidate, [index], ufrag)


def _parse(line: str) -> Candidate:
    return Candidate.parse(line)
