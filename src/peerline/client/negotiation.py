"""Perfect negotiation (W3C WebRTC 1.0, section 10.7) of one generation of the peer connection, with the numbers of
docs/protocol.md, section 8."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

from peerline.client.bodies import PC, Cand, Candidate, Desc, Description
from peerline.client.candidates import CandidateBatch
from peerline.client.carriage import Clock
from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["Negotiation", "NegotiationOwner"]

log = logging.getLogger("peerline.client")

# Far more than a description has.
_MAX_EARLY = 1024


class NegotiationOwner(Protocol):
    """The link."""

    def say(self, t: str, d: Any) -> None:
        """To the other side."""

    def settled(self) -> None:
        """Both descriptions are set."""

    def failed(self, pc: RTCPeerConnection, error: Exception) -> None:
        """Something of the other side's, or of ours, could not be used."""


class Negotiation:
    """The caller offers first (`is_offerer`) and is impolite; the callee follows and is polite.

    `is_following`: the other side makes the first offer of this generation.
    """

    def __init__(
        self, pc: RTCPeerConnection, g: int, owner: NegotiationOwner, clock: Clock, *, is_offerer: bool,
        is_following: bool,
    ) -> None:  # fmt: skip
        self.pc = pc
        self.g = g
        self._owner = owner
        self._is_offerer = is_offerer
        self._is_following = is_following
        self._batch = CandidateBatch(g, lambda cand: owner.say("cand", cand), clock)
        self._has_answered = False
        # Highest negotiation number seen, and the one of our offer that waits for its answer.
        self._n = 0
        self._pending: tuple[int, bool] | None = None
        self._is_offer_wanted = False
        self._is_restart_wanted = False
        self._is_offer_ignored = False
        # Candidates that came before their description.
        self._early: list[Candidate] = []
        # One after the other: between createOffer and setLocalDescription nothing else may happen.
        self._work: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._worker = asyncio.get_running_loop().create_task(self._run())
        pc.onnegotiationneeded = lambda _: self.negotiate()
        pc.onicecandidate = self._found

    def negotiate(self) -> None:
        """Make an offer, now or as soon as it is possible."""
        self._is_offer_wanted = True
        self._work.put_nowait(self._offer_if_possible)

    def restart(self, why: Literal["net", "lost", "server"]) -> None:
        """Restart ICE: the offerer does it, the other side asks for it. Deferred, never skipped, when not stable."""
        if not self._is_offerer:
            self._owner.say("restart", {"pc": PC, "why": why})
            return
        self._is_restart_wanted = True
        self._work.put_nowait(self._offer_if_possible)

    def restart_anew(self) -> None:
        """The offerer's restart after a lost session: an offer without its answer may be lost, too: made anew."""
        if self._is_offerer:
            self._is_restart_wanted = True
            self._work.put_nowait(self._offer_if_restart_wanted)

    def receive_desc(self, desc: Desc) -> None:
        """An offer or an answer of this generation."""
        self._n = max(self._n, desc.n)
        self._work.put_nowait(lambda: self._answer(desc) if desc.sdp.type == "offer" else self._accept(desc))

    def receive_cand(self, cand: Cand) -> None:
        """Candidates of this generation."""
        self._work.put_nowait(lambda: self._add(cand.c))

    def close(self) -> None:
        """End it and the connection."""
        self._worker.cancel()
        self._batch.close()
        self.pc.onnegotiationneeded = self.pc.onicecandidate = None
        self.pc.close()

    # One thing at a time -----------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            act = await self._work.get()
            try:
                await act()
            except Exception as error:
                self._owner.failed(self.pc, error)

    async def _offer_if_possible(self) -> None:
        if not self._is_offer_wanted and not self._is_restart_wanted:
            return
        is_our_turn = not self._is_following or self.pc.remoteDescription is not None
        if is_our_turn and self.pc.signalingState == "stable":
            await self._offer()

    async def _offer_if_restart_wanted(self) -> None:
        if self._is_restart_wanted:
            await self._offer()

    async def _offer(self) -> None:
        is_restart = self._is_restart_wanted
        self._is_offer_wanted = self._is_restart_wanted = False
        offer = await self.pc.createOffer(iceRestart=is_restart)
        await self.pc.setLocalDescription(offer)
        self._n += 1
        self._pending = (self._n, is_restart)
        self._send("offer", offer.sdp, self._n)

    async def _answer(self, desc: Desc) -> None:
        """An offer came: answer it, unless it collides with ours and we are the impolite side."""
        pc = self.pc
        is_collision = pc.signalingState != "stable"
        self._is_offer_ignored = is_collision and self._is_offerer
        if self._is_offer_ignored:
            return
        if is_collision:
            # setRemoteDescription rolls our offer back; what it wanted is offered again afterwards.
            self._is_offer_wanted = True
            self._is_restart_wanted |= self._pending is not None and self._pending[1]
            self._pending = None
        await pc.setRemoteDescription(type="offer", sdp=desc.sdp.sdp)
        await self._add_early()
        for transceiver in pc.getTransceivers():
            # Sound and pictures that nobody here asked for are not sent for nothing.
            is_wanted = pc.ontrack is not None
            if transceiver.currentDirection is None and transceiver.direction == "recvonly" and not is_wanted:
                transceiver.direction = "inactive"
        answer = await pc.createAnswer()
        # The first answer takes a candidate along: the other side then knows where to look as soon as it may.
        is_first, self._has_answered = not self._has_answered, True
        if is_first:
            self._batch.hold()
        await pc.setLocalDescription(answer)
        if is_first:
            await self._batch.first()
        self._send("answer", answer.sdp, desc.n)
        self._batch.release()
        self._settled()

    async def _accept(self, desc: Desc) -> None:
        """An answer came; one to another offer than the pending one is dropped."""
        is_awaited = self._pending is not None and self._pending[0] == desc.n
        if self.pc.signalingState != "have-local-offer" or not is_awaited:
            return
        await self.pc.setRemoteDescription(type="answer", sdp=desc.sdp.sdp)
        self._pending = None
        self._is_offer_ignored = False
        await self._add_early()
        self._settled()

    async def _add_early(self) -> None:
        early, self._early = self._early, []
        await self._add(early)

    async def _add(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            if self.pc.remoteDescription is None:
                if len(self._early) < _MAX_EARLY:
                    self._early.append(candidate)
                continue
            try:
                await self.pc.addIceCandidate(
                    candidate=candidate.candidate, sdpMid=candidate.sdpMid, sdpMLineIndex=candidate.sdpMLineIndex,
                    **({"usernameFragment": candidate.usernameFragment} if candidate.usernameFragment else {}),
                )  # fmt: skip
            except Exception as error:
                # Candidates of an ignored offer, or of one that was replaced meanwhile, fit nowhere: no harm.
                if not self._is_offer_ignored:
                    log.debug("a candidate was not taken: %s", type(error).__name__)

    def _settled(self) -> None:
        self._owner.settled()
        self._work.put_nowait(self._offer_if_possible)

    def _found(self, event: Any) -> None:
        candidate = event.candidate
        if candidate is None:
            self._batch.complete()
        elif candidate.candidate:
            self._batch.add(
                Candidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex, candidate.usernameFragment)
            )

    def _send(self, kind: Literal["offer", "answer"], sdp: str, n: int) -> None:
        self._owner.say("desc", Desc(PC, self.g, n, Description(kind, sdp)))
