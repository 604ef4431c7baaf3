"""Gives codecs their payload types: those they have had, else the usual ones, else free ones (RFC 9429, 5.2.2, 5.3.1).

In a BUNDLE group a payload type means the same in all media sections (RFC 9143, section 9.1): what another section has
taken is not taken for something else, and a codec that another section has named keeps that number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from peerline.jsep.codecs import Row
from peerline.sdp import Codec, Feedback, Fmtp, answered_profile_level_id, is_same_codec

__all__ = ["answer_codecs", "assign_payload_types"]

# Dynamic ones first, then those that are unassigned; 64 to 95 would be taken for RTCP (RFC 5761, section 4).
_FREE: tuple[int, ...] = (*range(96, 128), *range(35, 64))


def assign_payload_types(rows: Iterable[Row], known: Sequence[Codec], elsewhere: Mapping[int, Codec]) -> list[Codec]:
    """The codecs of an offer, with numbers. `known` are this section's so far, `elsewhere` the other sections'.

    A codec for which no number is left is left out.
    """
    return _Assignment(known, elsewhere).of(rows)


class _Assignment:
    def __init__(self, known: Sequence[Codec], elsewhere: Mapping[int, Codec]) -> None:
        self.known: dict[int, Codec] = {codec.payload_type: codec for codec in reversed(known)}
        self.elsewhere = elsewhere
        self.taken: set[int] = set()

    def of(self, rows: Iterable[Row]) -> list[Codec]:
        made: list[Codec] = []
        opus: int | None = None
        late: list[tuple[int, Row]] = []
        for row in rows:
            if row.is_redundancy and opus is None:
                late.append((len(made), row))
                continue
            number = self._one(made, row, opus)
            if row.codec.key == "opus":
                opus = number
        for place, row in late:
            moved: list[Codec] = []
            if opus is not None and self._one(moved, row, opus) is not None:
                made[place:place] = moved
        return made

    def _one(self, made: list[Codec], row: Row, opus: int | None) -> int | None:
        codec = row.codec
        if row.is_redundancy:
            codec = replace(codec, fmtp=Fmtp(f"{opus}/{opus}"))
        number = self._number(codec, None)
        if number is None:
            return None
        feedback = tuple(replace(one, payload_type=number) for one in codec.feedback)
        made.append(replace(codec, payload_type=number, feedback=feedback))
        if row.rtx is not None:
            repair = Codec(row.rtx, "rtx", codec.clock_rate_hz, 1, Fmtp(f"apt={number}"))
            repair_number = self._number(repair, number)
            if repair_number is not None:
                made.append(replace(repair, payload_type=repair_number))
        return number

    def _number(self, codec: Codec, repaired: int | None) -> int | None:
        places: tuple[tuple[bool, Mapping[int, Codec]], ...] = ((True, self.known), (False, self.elsewhere))
        for is_own, place in places:
            for number, other in place.items():
                # What another section calls so may be something else in this one.
                is_free = number not in self.taken and (is_own or number not in self.known)
                if is_free and self._is_same(codec, repaired, other):
                    self.taken.add(number)
                    return number
        for number in (codec.payload_type, *_FREE):
            if number not in self.taken and number not in self.known and number not in self.elsewhere:
                self.taken.add(number)
                return number
        return None

    @staticmethod
    def _is_same(codec: Codec, repaired: int | None, other: Codec) -> bool:
        if repaired is not None:
            return other.repairs == repaired
        if codec.key == "red" and codec.fmtp.text != other.fmtp.text and "/" in codec.fmtp.text:
            return False
        return codec.key != "rtx" and is_same_codec(codec, other)


def answer_codecs(rows: Sequence[Row], offered: Sequence[Codec], *, is_ordered: bool) -> list[Codec]:
    """What both sides have, under the numbers of the offer; in our order if `is_ordered`, else in the offer's.

    Repairs come along with what they repair. Empty if only repairs are left.
    """
    pairs: list[tuple[int, int, Codec]] = []
    answered: set[int] = set()
    by_name: dict[str, list[tuple[int, Row]]] = {}
    for rank, row in enumerate(rows):
        by_name.setdefault(row.codec.key, []).append((rank, row))
    for place, theirs in enumerate(offered):
        if theirs.key == "rtx" or theirs.payload_type in answered:
            continue
        for rank, row in by_name.get(theirs.key, ()):
            if _fits(row, theirs):
                pairs.append((rank, place, _answered(row, theirs)))
                answered.add(theirs.payload_type)
                break
    if is_ordered:
        pairs.sort(key=lambda pair: pair[:2])
    made: list[Codec] = []
    for rank, _, codec in pairs:
        made.append(codec)
        if rows[rank].rtx is not None:
            made += [
                replace(theirs, fmtp=Fmtp(f"apt={codec.payload_type}"), feedback=())
                for theirs in offered
                if theirs.repairs == codec.payload_type
            ][:1]
    numbers = {codec.payload_type for codec in made}
    # Redundancy of a codec that is not in the answer repeats nothing.
    return [codec for codec in made if not _repeats_others(codec, numbers)]


def _repeats_others(codec: Codec, numbers: set[int]) -> bool:
    first = codec.fmtp.text.partition("/")[0]
    return codec.key == "red" and first.isascii() and first.isdigit() and int(first) not in numbers


def _fits(row: Row, theirs: Codec) -> bool:
    if row.codec.key == "red" and bool(theirs.fmtp) != bool(row.codec.fmtp):
        return False
    return is_same_codec(row.codec, theirs)


def _answered(row: Row, theirs: Codec) -> Codec:
    ours = row.codec
    fmtp = theirs.fmtp if row.is_redundancy else ours.fmtp
    if ours.key == "h264":
        # RFC 6184, section 8.2.2: the profile and the mode are theirs, the level is agreed.
        level = answered_profile_level_id(ours.fmtp, theirs.fmtp)
        mode = theirs.fmtp.get("packetization-mode", "0")
        fmtp = Fmtp(f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={level}")
    wanted = {(one.kind, one.parameter) for one in ours.feedback}
    feedback = tuple(
        Feedback(theirs.payload_type, one.kind, one.parameter)
        for one in theirs.feedback
        if (one.kind, one.parameter) in wanted
    )
    return replace(theirs, fmtp=fmtp, feedback=feedback)
