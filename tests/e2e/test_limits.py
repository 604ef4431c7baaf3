"""Bandwidth limits: each holds in both directions, and each change renegotiates."""

from __future__ import annotations

import asyncio
import functools
import operator
import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import Sample, expect_sound, kilobits_per_s, measure
from e2e.noise import NOISE_CAMERA
from e2e.people import Person, connect
from e2e.waiting import until

_MAX_BITRATE = """(kind) => window.__peerline.peerConnections[0].getSenders()
  .find((sender) => sender.track?.kind === kind).getParameters().encodings[0].maxBitrate ?? null"""
_COUNT_OFFERS = """window.descriptions = [];
  window.__peerline.peerConnections[0].addEventListener("signalingstatechange", ({ target }) =>
    window.descriptions.push(target.signalingState))"""


async def set_limit(person: Person, kind: str, kilobits: int | None) -> None:
    """Type it and press Enter; None: empty the field."""
    field = person.page.get_by_role("spinbutton", name=f"{kind} limit (kbit/s)", exact=True)
    await field.fill("" if kilobits is None else str(kilobits))
    await field.press("Enter")


async def told(person: Person, kind: str) -> int | None:
    """The limit (b=AS) that the other side's description tells this page, if any."""
    for section in re.split(r"^(?=m=)", await person.remote_description(), flags=re.M):
        if section.startswith(f"m={kind} ") and (found := re.search(r"^b=AS:(\d+)\r?$", section, re.M)):
            return int(found[1])
    return None


async def max_bitrate(person: Person, kind: str) -> int | None:
    bits: int | None = await person.page.evaluate(_MAX_BITRATE, kind)
    return bits


async def expect_rate(person: Person, flow: str, at_most: float, within_s: float = 20.0) -> None:
    """Measured over two seconds, the flow takes no more than this."""

    async def rate() -> float:
        return kilobits_per_s(flow, *await measure(person.page))

    await until(f"{person.name}'s {flow} at most {at_most:g} kbit/s", rate, lambda now: 0 < now <= at_most, within_s)


async def expect_more(person: Person, flow: str, than: float, within_s: float = 60.0) -> None:
    async def samples() -> tuple[Sample, Sample]:
        return await measure(person.page, 1.0)

    await until(
        f"{person.name}'s {flow} over {than:g} kbit/s", samples, lambda two: kilobits_per_s(flow, *two) > than, within_s
    )


@pytest_asyncio.fixture(loop_scope="session")
async def noisy(person: Invite) -> Two:
    """Ann and Bob in a call, with pictures that take more than 300 kbit/s both ways."""
    ann, bob = await asyncio.gather(*(person(name, scripts=(NOISE_CAMERA,)) for name in ("Ann", "Bob")))
    await connect(ann, bob)
    await asyncio.gather(*(expect_more(one, "video_in", 300) for one in (ann, bob)))
    return ann, bob


async def test_a_video_limit_holds_in_both_directions_until_it_is_lifted(noisy: Two) -> None:
    ann, bob = noisy
    await set_limit(ann, "Video", 200)
    await until("b=AS in what Bob gets", lambda: told(bob, "video"), lambda limit: limit == 200)
    await until("Ann's own sender limited", lambda: max_bitrate(ann, "video"), lambda bits: bits == 200_000)
    await asyncio.gather(*(expect_rate(one, "video_in", 250) for one in noisy))
    await asyncio.gather(*(expect_rate(one, "video_out", 250) for one in noisy))
    for way in ("in", "out"):
        shown = ann.page.locator(f'[data-measured="video-{way}"]')
        await expect(shown).to_have_text(re.compile(r"^(\d\d?|1\d\d|2[0-4]\d)\s*kbit/s$"))

    await set_limit(ann, "Video", None)
    await until("no b=AS any more", lambda: told(bob, "video"), lambda limit: limit is None)
    await until("Ann's own sender free", lambda: max_bitrate(ann, "video"), lambda bits: bits is None)
    await asyncio.gather(*(expect_more(one, "video_in", 300) for one in noisy))


@pytest_asyncio.fixture(loop_scope="session")
async def free(call: Two) -> Two:
    """The call, without any limit that a test before may have left."""
    ann, bob = call
    for one, other in ((ann, bob), (bob, ann)):
        for kind in ("Video", "Audio"):
            await set_limit(one, kind, None)
            await until("no limit", functools.partial(told, other, kind.lower()), lambda limit: limit is None)
    # What was told is there before it was answered and obeyed.
    for one in call:
        await one.page.wait_for_function("window.__peerline.peerConnections[0].signalingState === 'stable'")
        for kind in ("video", "audio"):
            await until("nothing obeyed", functools.partial(max_bitrate, one, kind), lambda bits: bits is None)
    return call


async def test_the_called_one_can_set_a_limit_too(free: Two) -> None:
    ann, bob = free
    await set_limit(bob, "Video", 300)
    await until("b=AS in what Ann gets", lambda: told(ann, "video"), lambda limit: limit == 300)
    await until("Bob's own sender limited", lambda: max_bitrate(bob, "video"), lambda bits: bits == 300_000)
    assert await told(bob, "video") is None


async def test_an_audio_limit_leaves_video_alone(free: Two) -> None:
    ann, bob = free
    await set_limit(ann, "Audio", 16)
    await until("b=AS in what Bob gets", lambda: told(bob, "audio"), lambda limit: limit == 16)
    await until("Ann's own sender limited", lambda: max_bitrate(ann, "audio"), lambda bits: bits == 16_000)
    assert await told(bob, "video") is None
    assert await max_bitrate(ann, "video") is None
    await asyncio.gather(*(expect_rate(one, "audio_in", 20) for one in free))
    await asyncio.gather(*(expect_sound(one.page) for one in free))


async def test_each_change_renegotiates_once(free: Two) -> None:
    ann, bob = free
    await bob.page.evaluate(_COUNT_OFFERS)
    wanted: list[str] = []
    for kilobits in (500, 400, 600):
        await set_limit(ann, "Video", kilobits)
        await until("the new limit", lambda: told(bob, "video"), functools.partial(operator.eq, kilobits))
        wanted += ["have-remote-offer", "stable"]
        await bob.page.wait_for_function("(count) => window.descriptions.length >= count", arg=len(wanted))
        assert await bob.page.evaluate("window.descriptions") == wanted


async def test_both_can_change_their_limits_in_the_same_moment(free: Two) -> None:
    ann, bob = free
    await asyncio.gather(set_limit(ann, "Video", 250), set_limit(bob, "Video", 350))
    await until("Ann's limit at Bob's", lambda: told(bob, "video"), lambda limit: limit == 250)
    await until("Bob's limit at Ann's", lambda: told(ann, "video"), lambda limit: limit == 350)
    await ann.reads("Connected")
    await bob.reads("Connected")


@pytest.mark.parametrize("text", ["0", "-5", "1.5"])
async def test_a_limit_that_is_none_is_marked_and_changes_nothing(free: Two, text: str) -> None:
    ann, bob = free
    field = ann.page.get_by_role("spinbutton", name="Video limit (kbit/s)", exact=True)
    await field.fill(text)
    await field.press("Enter")
    await expect(field).to_have_attribute("aria-invalid", "true")
    assert await max_bitrate(ann, "video") is None
    assert await told(bob, "video") is None
