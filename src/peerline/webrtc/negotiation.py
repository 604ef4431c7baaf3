"""The operations of a connection that negotiate, one after the other (W3C WebRTC 4.4.1.2, 4.4.1.5, 4.4.2, 4.7.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from peerline.errors import InvalidAccessError, InvalidStateError
from peerline.eventloop import OperationsChain, Promise, promise, queue_task
from peerline.events import Event
from peerline.jobs import running_jobs
from peerline.jsep import Outcome, SdpType, can_roll_back_implicitly, next_state
from peerline.sdp import SdpError
from peerline.webrtc.rtc_error import RTCError
from peerline.webrtc.session_description import RTCSessionDescriptionInit

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection_base import ConnectionBase

__all__ = ["Negotiation"]

T = TypeVar("T")

# A user fragment or password with a wrong length or characters is SDP, and invalid; all else is no SDP.
ICE_SECRETS_RFC = "RFC 8839, section 5.4"


class Negotiation:
    """Works on the connection's session and tells the connection what came of it."""

    def __init__(self, connection: ConnectionBase) -> None:
        self._connection = connection
        self._operations = OperationsChain(lambda: connection._is_closed, self._chain_is_empty)
        self._is_needed = False
        self._is_update_due = False
        self.has_set_local_description = False

    def chain(self, operation: Callable[[], Promise[T]], what: str) -> Promise[T]:
        """Run it when those before it are over. Without a running loop it waits for one."""
        if running_jobs() is None:

            async def later() -> T:
                return await self.chain(operation, what)

            return promise(later(), what)
        try:
            self._connection._birthplace.check("this connection")
        except Exception as error:
            return Promise.rejected(error, what)
        return self._operations.chain(cast("Callable[[], Any]", operation), what)

    # Creating --------------------------------------------------------------------------------------

    def create(self, kind: SdpType, what: str, *, is_ice_restart: bool = False) -> Promise[RTCSessionDescriptionInit]:
        """An offer or an answer, in a task of its own."""
        connection, session = self._connection, self._connection._session
        states = ("stable", "have-local-offer") if kind == "offer" else ("have-remote-offer", "have-local-pranswer")
        if session.signaling_state not in states:
            raise InvalidStateError(f"{what} is impossible in the state {session.signaling_state!r}")
        outcome: Promise[RTCSessionDescriptionInit] = Promise(what)

        def create() -> None:
            if connection._is_closed:
                return
            try:
                connection._have_certificate()
                text = (
                    session.create_offer(is_ice_restart=is_ice_restart) if kind == "offer" else session.create_answer()
                )
            except Exception as error:
                outcome.reject(error)
            else:
                outcome.resolve(RTCSessionDescriptionInit(type="offer" if kind == "offer" else "answer", sdp=text))

        queue_task("networking", create)
        return outcome

    # Setting ---------------------------------------------------------------------------------------

    def set_local(self, kind: SdpType | None, text: str) -> Promise[None]:
        """setLocalDescription, from the chained steps on."""
        what = "setLocalDescription"
        session = self._connection._session
        if kind is None:
            is_offering = session.signaling_state in ("stable", "have-local-offer", "have-remote-pranswer")
            kind = "offer" if is_offering else "answer"
        next_state(session.signaling_state, "local", kind)
        session.can_be_set(kind, text)
        if text or kind == "rollback":
            return self._set(kind, text, what, is_remote=False)
        outcome: Promise[None] = Promise(what)
        chosen = kind

        def created(made: RTCSessionDescriptionInit | None, error: BaseException | None) -> None:
            if made is None:
                outcome.reject(error or InvalidStateError("there is no description"))
            else:
                self._follow(outcome, lambda: self._set(chosen, made.sdp, what, is_remote=False))

        self.create(kind, what).upon(created)
        return outcome

    def set_remote(self, kind: SdpType, text: str) -> Promise[None]:
        """setRemoteDescription, from the chained steps on."""
        what = "setRemoteDescription"
        if not can_roll_back_implicitly(self._connection._session.signaling_state, "remote", kind):
            return self._set(kind, text, what, is_remote=True)
        outcome: Promise[None] = Promise(what)

        def rolled_back(_: None, error: BaseException | None) -> None:
            if error is not None:
                outcome.reject(error)
            else:
                self._follow(outcome, lambda: self._set(kind, text, what, is_remote=True))

        self._set("rollback", "", what, is_remote=False).upon(rolled_back)
        return outcome

    @staticmethod
    def _follow(outcome: Promise[None], then: Callable[[], Promise[None]]) -> None:
        try:
            then().upon(lambda _, error: outcome.resolve(None) if error is None else outcome.reject(error))
        except Exception as error:
            outcome.reject(error)

    def _set(self, kind: SdpType, text: str, what: str, *, is_remote: bool) -> Promise[None]:
        """W3C WebRTC 4.4.1.5, "set a session description"."""
        outcome: Promise[None] = Promise(what)
        queue_task("networking", self._apply, kind, text, is_remote, outcome)
        return outcome

    def _apply(self, kind: SdpType, text: str, is_remote: bool, outcome: Promise[None]) -> None:
        connection, session = self._connection, self._connection._session
        if connection._is_closed:
            return
        if connection._has_unsettled_parameters():
            queue_task("networking", self._apply, kind, text, is_remote, outcome)
            return
        before = session.signaling_state
        try:
            connection._have_certificate()
            came = session.set_remote(kind, text) if is_remote else session.set_local(kind, text)
        except SdpError as error:
            if error.rfc == ICE_SECRETS_RFC:
                outcome.reject(InvalidAccessError(error.message, hint=error.hint))
                return
            where = {} if error.line is None else {"sdpLineNumber": error.line}
            outcome.reject(RTCError({"errorDetail": "sdp-syntax-error", **where}, error.message))
        except Exception as error:
            outcome.reject(error)
        else:
            self.has_set_local_description |= not is_remote
            self._applied(kind, came, before, outcome, is_remote=is_remote)

    def _applied(self, kind: SdpType, came: Outcome, before: str, outcome: Promise[None], *, is_remote: bool) -> None:
        connection, session = self._connection, self._connection._session
        fire_media = connection._media.commit(came)
        try:
            connection._transports.commit(
                is_local=not is_remote and kind != "rollback", is_final=kind in ("answer", "pranswer")
            )
        except Exception as error:  # for example fingerprints of unknown kinds
            outcome.reject(error)
            return
        if session.signaling_state == "stable":
            self._is_needed = False
            self.update_needed()
        fire_states = connection._transports.update()
        if session.signaling_state != before:
            connection._fire(Event("signalingstatechange"))
        fire_media()
        fire_states()
        outcome.resolve(None)

    # Negotiation needed ----------------------------------------------------------------------------

    def update_needed(self) -> None:
        """W3C WebRTC 4.7.3, "update the negotiation-needed flag"."""
        if running_jobs() is None or not self._operations.is_empty:
            self._is_update_due = True
        else:
            queue_task("networking", self._check_needed)

    def _check_needed(self) -> None:
        connection, session = self._connection, self._connection._session
        if connection._is_closed:
            return
        if not self._operations.is_empty:
            self._is_update_due = True
            return
        if session.signaling_state != "stable":
            return
        if not session.is_negotiation_needed:
            self._is_needed = False
        elif not self._is_needed:
            self._is_needed = True
            connection._fire(Event("negotiationneeded"))

    def _chain_is_empty(self) -> None:
        if self._is_update_due:
            self._is_update_due = False
            self.update_needed()
