"""How calls end, and what the other side hears of it (protocol, section 7)."""

from __future__ import annotations

import pytest

from client import RefusedError
from client.conversation import ring, talk
from contract.conftest import Join


@pytest.mark.parametrize("why", [None, "hangup", "ice_failed", "ice_lost", "media", "error"])
async def test_the_other_side_hears_why(join: Join, why: str | None) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await bob.request("end", call, **({} if why is None else {"why": why}))
    assert (await ann.expect("end", call))["d"] == {"why": why or "hangup"}


async def test_a_reason_of_ones_own_making_is_refused(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    for why in ("boredom", "lost", "merged", 7):
        with pytest.raises(RefusedError) as refused:
            await ann.request("end", call, why=why)
        assert refused.value.code == "bad"
    await ann.request("end", call)
    await bob.expect("end", call)


async def test_a_call_ends_once(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await ann.request("end", call)
    await bob.expect("end", call)
    with pytest.raises(RefusedError) as refused:
        await bob.request("end", call)
    assert refused.value.code == "gone"


async def test_bye_hangs_up_at_once(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await bob.close()
    assert (await ann.expect("end", call))["d"] == {"why": "hangup"}


async def test_a_caller_who_leaves_cancels(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await ann.close()
    assert (await bob.expect("stop", call))["d"] == {"why": "cancelled"}


async def test_a_callee_whose_last_device_leaves_is_offline(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await phone.close()
    await laptop.close()
    assert (await ann.expect("end", call))["d"] == {"why": "offline"}


async def test_one_device_of_the_callee_leaves_and_another_answers(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await phone.close()
    await laptop.request("accept", call, media=["a"])
    await ann.expect("up", call)
    await laptop.expect("up", call)


async def test_a_device_that_is_no_party_may_leave(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    other = await join(also=bob)
    call = await ring(ann, bob, other)
    await bob.request("accept", call, media=[])
    await other.expect("stop", call)
    await other.close()
    await ann.request("end", call)
    assert (await bob.expect("end", call))["d"] == {"why": "hangup"}
