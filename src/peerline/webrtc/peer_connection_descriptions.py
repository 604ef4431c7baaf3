"""The half of RTCPeerConnection that sets descriptions and candidates (W3C WebRTC 4.4.2, legacy forms: 4.4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from peerline.eventloop import Promise
from peerline.jsep import Transceiver
from peerline.webidl import Dictionary, Member, boolean
from peerline.webrtc.callbacks import with_callbacks
from peerline.webrtc.encodings import checked_encodings
from peerline.webrtc.ice_candidate import RTCIceCandidate
from peerline.webrtc.negotiation_candidates import add_ice_candidate
from peerline.webrtc.peer_connection_base import ConnectionBase, started
from peerline.webrtc.session_description import (
    RTCLocalSessionDescriptionInit,
    RTCSessionDescription,
    RTCSessionDescriptionInit,
)

__all__ = ["DescriptionMethods", "RTCOfferOptions"]


Init = Mapping[str, Any] | None
Description = RTCSessionDescription | Mapping[str, Any] | None
Candidate = RTCIceCandidate | Mapping[str, Any] | None
Failure = Callable[[BaseException], object]


class RTCOfferOptions(Dictionary):
    """Options of createOffer; the last two are old ones."""

    iceRestart = Member(boolean, default=bool)
    offerToReceiveAudio = Member(boolean)
    offerToReceiveVideo = Member(boolean)


class DescriptionMethods(ConnectionBase):
    """createOffer, createAnswer, setLocalDescription, setRemoteDescription, addIceCandidate, and what they set."""

    @overload
    def createOffer(self, options: Init = None, /, *, iceRestart: bool = ...) -> Promise[RTCSessionDescriptionInit]: ...
    @overload
    def createOffer(
        self, success: Callable[[RTCSessionDescriptionInit], object], failure: Failure, options: Init = None, /
    ) -> Promise[None]: ...
    def createOffer(self, *arguments: Any, **options: Any) -> Promise[Any]:
        """An offer of all transceivers and data channels, to be given to setLocalDescription.

        Options: `iceRestart`. Rejected with InvalidStateError unless the signaling state allows an offer.
        """
        if arguments and callable(arguments[0]):
            return with_callbacks(self.createOffer, arguments, 0)

        def start() -> Promise[RTCSessionDescriptionInit]:
            given = RTCOfferOptions(arguments[0] if arguments else None, **options)
            self._require_open()
            self._offer_to_receive(given)
            what = "RTCPeerConnection.createOffer"
            is_restart = given.iceRestart
            return self._chain(lambda: self._negotiation.create("offer", what, is_ice_restart=is_restart), what)

        return started(start, "RTCPeerConnection.createOffer")

    @overload
    def createAnswer(self, options: Init = None, /) -> Promise[RTCSessionDescriptionInit]: ...
    @overload
    def createAnswer(
        self, success: Callable[[RTCSessionDescriptionInit], object], failure: Failure, /
    ) -> Promise[None]: ...
    def createAnswer(self, *arguments: Any) -> Promise[Any]:
        """An answer to the offer given to setRemoteDescription. Rejected with InvalidStateError without one."""
        if arguments and callable(arguments[0]):
            return with_callbacks(self.createAnswer, arguments, 0)
        what = "RTCPeerConnection.createAnswer"
        return self._chain(lambda: self._negotiation.create("answer", what), what)

    @overload
    def setLocalDescription(
        self, description: Description = None, /, *, type: str = ..., sdp: str = ...
    ) -> Promise[None]: ...
    @overload
    def setLocalDescription(
        self, description: Description, success: Callable[[], object], failure: Failure, /
    ) -> Promise[None]: ...
    def setLocalDescription(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Apply what createOffer or createAnswer made; without an argument, make it first. Candidates are looked for.

        Rejected with InvalidStateError, or InvalidModificationError if the text was edited.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.setLocalDescription, arguments, 1)

        def start() -> Promise[None]:
            kind, text = _read(RTCLocalSessionDescriptionInit, arguments, members)
            return self._chain(lambda: self._negotiation.set_local(kind, text), "RTCPeerConnection.setLocalDescription")

        return started(start, "RTCPeerConnection.setLocalDescription")

    @overload
    def setRemoteDescription(
        self, description: Description = None, /, *, type: str = ..., sdp: str = ...
    ) -> Promise[None]: ...
    @overload
    def setRemoteDescription(
        self, description: Description, success: Callable[[], object], failure: Failure, /
    ) -> Promise[None]: ...
    def setRemoteDescription(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Apply what the peer sent. An offer that meets one of our own takes ours back (glare).

        Rejected with InvalidStateError, InvalidAccessError for what does not fit, RTCError (`sdpLineNumber`) for what
        is no SDP.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.setRemoteDescription, arguments, 1)

        def start() -> Promise[None]:
            if not arguments and not members:
                raise TypeError("setRemoteDescription needs a description")
            kind, text = _read(RTCSessionDescriptionInit, arguments, members)
            what = "RTCPeerConnection.setRemoteDescription"
            return self._chain(lambda: self._negotiation.set_remote(kind, text), what)

        return started(start, "RTCPeerConnection.setRemoteDescription")

    @overload
    def addIceCandidate(
        self,
        init: Candidate = None,
        /,
        *,
        candidate: str = ...,
        sdpMid: str | None = ...,
        sdpMLineIndex: int | None = ...,
        usernameFragment: str | None = ...,
    ) -> Promise[None]: ...
    @overload
    def addIceCandidate(self, init: Candidate, success: Callable[[], object], failure: Failure, /) -> Promise[None]: ...
    def addIceCandidate(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Tell of an address of the peer; an empty candidate, or none, says that there are no more.

        Rejected with TypeError if it does not say which section it is for, InvalidStateError before a remote
        description, OperationError for what is no candidate, or not one of this description.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.addIceCandidate, arguments, 1)
        return started(
            lambda: add_ice_candidate(self, arguments[0] if arguments else None, members),
            "RTCPeerConnection.addIceCandidate",
        )

    @property
    def localDescription(self) -> RTCSessionDescription | None:
        """The pending local description, else the current one."""
        return self._face(self._session.local)

    @property
    def currentLocalDescription(self) -> RTCSessionDescription | None:
        """The one that was agreed on last, with the candidates that were found since."""
        return self._face(self._session.current_local)

    @property
    def pendingLocalDescription(self) -> RTCSessionDescription | None:
        """The one that is being negotiated."""
        return self._face(self._session.pending_local)

    @property
    def remoteDescription(self) -> RTCSessionDescription | None:
        """The pending remote description, else the current one."""
        return self._face(self._session.remote)

    @property
    def currentRemoteDescription(self) -> RTCSessionDescription | None:
        """The one that was agreed on last, with the candidates of addIceCandidate."""
        return self._face(self._session.current_remote)

    @property
    def pendingRemoteDescription(self) -> RTCSessionDescription | None:
        """The one that is being negotiated."""
        return self._face(self._session.pending_remote)

    def _offer_to_receive(self, options: RTCOfferOptions) -> None:
        """W3C WebRTC 4.4.3.3, legacy configuration extensions."""
        for kind, wanted in (("audio", options.offerToReceiveAudio), ("video", options.offerToReceiveVideo)):
            alive = [
                one._negotiated
                for one in self._transceivers
                if one._negotiated.kind == kind and not one._negotiated.is_stopping
            ]
            if wanted is False:
                for state in alive:
                    if state.direction in ("sendrecv", "recvonly"):
                        state.direction = "sendonly" if state.direction == "sendrecv" else "inactive"
            elif wanted and not any(state.direction in ("sendrecv", "recvonly") for state in alive):
                state = Transceiver(kind, "recvonly")  # type: ignore[arg-type]
                state.encodings = checked_encodings(state.kind, [])
                self._media.add(state, None)


def _read(
    form: Callable[..., RTCSessionDescriptionInit | RTCLocalSessionDescriptionInit],
    arguments: tuple[Any, ...],
    members: Mapping[str, Any],
) -> tuple[Any, str]:
    given = arguments[0] if arguments else None
    if not members and isinstance(given, RTCSessionDescription | RTCSessionDescriptionInit):
        return given.type, given.sdp
    made = form(given, **members)
    return made.type, made.sdp
