"""One side of offer/answer as a machine: no sockets, no clock, no randomness of its own (RFC 9429, sections 3 to 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from peerline.errors import InvalidModificationError, InvalidStateError
from peerline.jsep import candidates
from peerline.jsep.answer import create_answer
from peerline.jsep.applied import Applied
from peerline.jsep.apply_local import apply_local
from peerline.jsep.apply_remote import apply_remote
from peerline.jsep.needed import is_negotiation_needed
from peerline.jsep.offer import create_offer
from peerline.jsep.outcome import DataPlan, Outcome
from peerline.jsep.record import Created, Record
from peerline.jsep.rollback import roll_back
from peerline.jsep.settings import Settings
from peerline.jsep.settle import data_plan
from peerline.jsep.state import SdpType, next_state
from peerline.jsep.transport import Credentials, Randomness
from peerline.sdp import Candidate, parse

__all__ = ["Session"]


class Session(Record):
    """Everything that is known is an attribute (see `Record`); what can be done is a method.

    The errors of setting a description leave everything as it was.
    """

    def __init__(self, settings: Settings, randomness: Randomness) -> None:
        super().__init__(settings, randomness)

    # Descriptions ----------------------------------------------------------------------------------

    def create_offer(self, *, is_ice_restart: bool = False) -> str:
        """The text of an offer. Raises InvalidStateError where none can be made."""
        self._require("createOffer", "stable", "have-local-offer")
        return create_offer(self, is_ice_restart=is_ice_restart).text

    def create_answer(self) -> str:
        """The text of an answer to the offer that is pending. Raises InvalidStateError without one."""
        self._require("createAnswer", "have-remote-offer", "have-local-pranswer")
        return create_answer(self).text

    def set_local(self, kind: SdpType, text: str = "") -> Outcome:
        """Set what was created last; an empty text creates it. Raises InvalidStateError, InvalidModificationError."""
        state = next_state(self.signaling_state, "local", kind)
        if kind == "rollback":
            return roll_back(self)
        created = self._created(kind, text)
        return apply_local(self, created, kind, state)

    def set_remote(self, kind: SdpType, text: str = "") -> Outcome:
        """Set a description of the peer. An offer that meets one of ours takes ours back first only if the caller has
        done so. Raises InvalidStateError, SdpError for what is no SDP, InvalidAccessError for what does not fit."""
        state = next_state(self.signaling_state, "remote", kind)
        if kind == "rollback":
            return roll_back(self)
        return apply_remote(self, parse(text), kind, state, text)

    def can_be_set(self, kind: SdpType, text: str) -> None:
        """Raise InvalidModificationError unless it is what was created last (RFC 9429, section 5.4)."""
        if text and kind != "rollback":
            last = self.last_offer if kind == "offer" else self.last_answer
            if last is None or last.text != text or not self._still_fits(last):
                made = "createOffer" if kind == "offer" else "createAnswer"
                raise InvalidModificationError(
                    f"this is not the description that {made} has made last",
                    hint="Descriptions are not to be edited before they are set (RFC 9429, section 5.4): use "
                    "setCodecPreferences, setParameters, directions; or edit what is sent to the other side.",
                )

    # What else changes it --------------------------------------------------------------------------

    def restart_ice(self) -> None:
        """The next offer has new credentials for every transport."""
        found = set()
        for applied in (self.current_local, self.pending_local):
            for media in applied.sections if applied is not None else ():
                if media.ice_ufrag is not None and media.ice_pwd is not None:
                    found.add(Credentials(media.ice_ufrag, media.ice_pwd))
        self.to_replace = frozenset(found)

    def add_local_candidate(self, ufrag: str, candidate: Candidate) -> None:
        """Add what was found to the descriptions of its generation."""
        candidates.add_local(self, ufrag, candidate)

    def end_local_candidates(self, ufrag: str) -> None:
        """A generation is complete."""
        candidates.end_local(self, ufrag)

    def sections_of_candidate(self, mid: str | None, index: int | None, ufrag: str | None) -> list[int]:
        """Which sections a candidate of the peer is for. Raises InvalidStateError, OperationError."""
        if self.remote is None:
            raise InvalidStateError("a candidate of the peer comes before its description")
        return candidates.remote_sections(self, mid, index, ufrag)

    def add_remote_candidate(self, candidate: Candidate | None, sections: list[int], ufrag: str | None) -> None:
        """Add what the peer told, None for "no more", to the descriptions of its generation."""
        candidates.add_remote(self, sections, ufrag, candidate)

    def rest(self) -> None:
        """Nothing is negotiated for a while: less is kept at hand."""
        for applied in self.applied:
            applied.rest()

    # Questions -------------------------------------------------------------------------------------

    @property
    def is_negotiation_needed(self) -> bool:
        """Whether an offer would change anything; asked in the state `stable`."""
        return is_negotiation_needed(self)

    @property
    def data(self) -> DataPlan | None:
        """How data channels are agreed on; None if they are not."""
        return data_plan(self)

    @property
    def can_trickle(self) -> bool | None:
        """Whether the peer takes candidates after its description; None before there is one."""
        remote: Applied | None = self.remote
        if remote is None:
            return None
        options = set(remote.description.session.ice_options)
        for media in remote.sections:
            options.update(media.ice_options)
        return "trickle" in options

    # Inside ----------------------------------------------------------------------------------------

    def _created(self, kind: Literal["offer", "pranswer", "answer"], text: str) -> Created:
        self.can_be_set(kind, text)
        last = self.last_offer if kind == "offer" else self.last_answer
        if text and last is not None:
            if kind != "offer":
                # The offer may have been taken back and set again since: with other transceivers.
                last = replace(last, members=tuple(self.at(index) for index in range(len(last.members))))
            return last
        return create_offer(self) if kind == "offer" else create_answer(self)

    def _still_fits(self, created: Created) -> bool:
        """Whether an answer is one to the offer that is pending now; it need not have been made after it."""
        if created.type == "offer":
            return True
        offer = self.pending_remote
        ours = [(media.kind, media.protocol) for media in created.description.media]
        theirs = [(media.kind, media.protocol) for media in offer.sections] if offer is not None else []
        return ours == theirs

    def _require(self, what: str, *states: str) -> None:
        if self.signaling_state not in states:
            raise InvalidStateError(
                f"{what} is possible in the states {' and '.join(states)}, not in {self.signaling_state}"
            )
