"""Calls of minutes where packets are lost: pictures go on, sound is not late, lips match, messages arrive.

Each line that is printed is what one side got. heard: sound that was not made up; buffer: how long it waited there in
the last third; ear, eye: from when a signal was sent until it came out, median/95th percentile; lips: between beep and
flash, likewise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median, quantiles

import pytest

from interop.chromium_end import ChromiumEnd
from interop.conftest import MakeEnd
from media.tracks import threads, until
from peerline.lab import BadPath
from slow.call import Side, call
from slow.figures import (
    buffer_delay_s,
    delays_s,
    frozen_share,
    heard_share,
    line,
    lip_differences_s,
    pictures_of_windows,
    third,
)
from slow.participant import Participant
from slow.participants import AiortcParticipant, ChromiumParticipant, PeerlineParticipant

pytestmark = pytest.mark.long

LOSSES = (0.0, 0.02, 0.05, 0.1)
DELAY_S = 0.025
MAX_EAR_S, MAX_RISE_S, MAX_LIPS_S = 0.25, 0.1, 0.08
MAX_BUFFER_S = 0.5
BUFFER_MS = 200.0
WINDOW_S = 5
# Of the call. Where a packet and its repair are lost, or the question for it, pictures stand still for a moment.
MAX_FROZEN, MAX_FROZEN_OF_LOSS = 0.1, 2.0

# Role changes with the loss, so that both are tried with little and with much of it.
under_loss = pytest.mark.parametrize(
    ("loss", "we_offer"), [(loss, index % 2 == 0) for index, loss in enumerate(LOSSES)], ids=lambda value: f"{value}"
)
Record = Callable[[str, object], None]


async def talk(ours: Participant, theirs: Participant, loss: float, we_offer: bool, seconds: int) -> list[Side]:
    """A call, what is true of each, and that it leaves nothing behind."""
    before = asyncio.all_tasks()
    with BadPath() as path:
        pair = (ours, theirs) if we_offer else (theirs, ours)
        sides = await call(path, *pair, seconds=seconds, loss=loss, delay_s=DELAY_S)
        counts = path.counts()
    assert abs(counts.lost / (counts.lost + counts.forwarded) - loss) < 0.02
    await until(lambda: not threads(), timeout_s=5)
    await until(lambda: asyncio.all_tasks() <= before, timeout_s=5)
    return [sides[ours], sides[theirs]]


def tell(sides: list[Side], loss: float, record: Record) -> None:
    for index, side in enumerate(sides):
        said = line(side)
        print(f"\n{loss:4.0%} to {side.who.name}: " + "; ".join(f"{name} {value}" for name, value in said.items()))
        for name, value in said.items():
            record(f"{side.who.name} {index} {name}", value)


def check_all(sides: list[Side], loss: float) -> None:
    for side in sides:
        # aiortc asks once for what is missing, and throws sound away at a gap: it need only come to itself again.
        is_able = not isinstance(side.who, AiortcParticipant)
        if is_able:
            assert heard_share(side.samples) > 0.97 - 1.5 * loss
            assert frozen_share(side.samples) < MAX_FROZEN + MAX_FROZEN_OF_LOSS * loss
        assert min(pictures_of_windows(side.samples, WINDOW_S if is_able else len(side.samples) // 4)) > 0
        assert side.messages == [str(number) for number in range(len(side.messages))]


@under_loss
async def test_two_of_ours(loss: float, we_offer: bool, call_seconds: int, record_property: Record) -> None:
    sides = await talk(PeerlineParticipant(), PeerlineParticipant(), loss, we_offer, call_seconds)
    tell(sides, loss, record_property)
    check_all(sides, loss)
    for side in sides:
        assert isinstance(side.who, PeerlineParticipant)
        ear = delays_s(side.who.beeps)
        begin, end = median(third(ear, 0)), median(third(ear, 2))
        assert end < MAX_EAR_S
        assert end - begin <= MAX_RISE_S
        assert median(abs(one) for one in lip_differences_s(side.who)) <= MAX_LIPS_S


@pytest.mark.parametrize("loss", LOSSES[2:])
async def test_lips_match_nearly_always_where_sound_waits_for_repair_as_pictures_do(
    loss: float, call_seconds: int, record_property: Record
) -> None:
    ours, theirs = (PeerlineParticipant(buffer_ms=BUFFER_MS) for _ in range(2))
    sides = await talk(ours, theirs, loss, True, call_seconds)
    tell(sides, loss, record_property)
    check_all(sides, loss)
    for one in (ours, theirs):
        assert quantiles([abs(late) for late in lip_differences_s(one)], n=20)[-1] <= MAX_LIPS_S
        assert median(delays_s(one.beeps).values()) < MAX_EAR_S + BUFFER_MS / 1000


@under_loss
async def test_with_chromium(
    make_end: MakeEnd, loss: float, we_offer: bool, call_seconds: int, record_property: Record
) -> None:
    chromium = await make_end("chromium")
    assert isinstance(chromium, ChromiumEnd)
    sides = await talk(PeerlineParticipant(), ChromiumParticipant(chromium), loss, we_offer, call_seconds)
    tell(sides, loss, record_property)
    check_all(sides, loss)
    assert buffer_delay_s(sides[1].samples) < MAX_BUFFER_S


@under_loss
async def test_with_aiortc(loss: float, we_offer: bool, call_seconds: int, record_property: Record) -> None:
    sides = await talk(PeerlineParticipant(), AiortcParticipant(), loss, we_offer, call_seconds)
    tell(sides, loss, record_property)
    check_all(sides, loss)
