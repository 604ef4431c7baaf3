"""Who may have a name, and what a device gets when it comes in (protocol, sections 1 and 4)."""

from __future__ import annotations

import secrets

import pytest

from client import Client, RefusedError
from contract.conftest import Join
from contract.doors import Door


async def test_welcome_tells_all_that_a_client_needs(join: Join) -> None:
    ann = await join("Ann")
    welcome = ann.welcome
    assert set(welcome) == {
        "v", "sid", "key", "epoch", "res", "rx", "hb_s", "grace_s", "now", "me", "ice", "lim", "feat",
    }  # fmt: skip
    assert welcome["v"] == 1
    assert welcome["res"] is False
    assert welcome["rx"] == 0
    assert ann.name is not None
    assert welcome["me"] == {"u": ann.name.casefold(), "n": ann.name, "rights": []}
    assert welcome["lim"]["frame"] == 65_536
    assert {"calls", "presence", "history"} <= set(welcome["feat"])


async def test_the_session_key_is_long_and_everybody_has_another(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    assert len(ann.welcome["key"]) >= 22  # 128 bits in base 64
    assert ann.welcome["key"] != bob.welcome["key"]
    assert ann.welcome["sid"] != bob.welcome["sid"]
    assert ann.welcome["epoch"] == bob.welcome["epoch"]


async def test_a_name_is_taken_for_whoever_has_another_key(join: Join) -> None:
    await join("Ann")
    with pytest.raises(RefusedError) as refused:
        await join("Ann")
    assert refused.value.code == "taken"
    assert refused.value.body["msg"]


async def test_a_name_stays_taken_when_its_owner_has_left(join: Join) -> None:
    ann = await join("Ann")
    await ann.close()
    with pytest.raises(RefusedError) as refused:
        await join("Ann")
    assert refused.value.code == "taken"
    again = await join("Ann", own=ann.own)
    assert again.u == ann.u


@pytest.mark.parametrize("alike", ["ann lee", "ANN LEE", "  Ann \t Lee ", "Ａnn Lee"])
async def test_names_that_read_alike_are_the_same_name(join: Join, alike: str) -> None:
    ann = await join("Ann Lee")
    with pytest.raises(RefusedError) as refused:
        await join(alike)
    assert refused.value.code == "taken"
    same = await join(alike, own=ann.own)
    assert same.u == ann.u


async def test_white_space_in_a_name_becomes_one_space(join: Join, unique: str) -> None:
    ann = await join("Ann   Lee")
    assert ann.welcome["me"]["n"] == f"Ann Lee {unique}"


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\u0007b", "x" * 65, 7, None, ["Ann"]])
async def test_what_is_no_name_is_refused(guests: list[Client], door: Door, name: object) -> None:
    with pytest.raises(RefusedError) as refused:
        guests.append(await Client.connect(door.url, name, transport=door.transport))  # type: ignore[arg-type]
    assert refused.value.code == "bad"


@pytest.mark.parametrize("secret", ["short", "x" * 129, "with space in the middle", "umläut-umläut-umläut"])
async def test_what_is_no_device_id_or_owner_key_is_refused(join: Join, secret: str) -> None:
    for wrong in ({"dev": secret}, {"own": secret}):
        with pytest.raises(RefusedError) as refused:
            await join("Ann", **wrong)
        assert refused.value.code == "bad"


async def test_a_refusal_does_not_repeat_the_secret(join: Join) -> None:
    await join("Ann")
    secret = secrets.token_urlsafe(32)
    with pytest.raises(RefusedError) as refused:
        await join("Ann", own=secret)
    assert secret not in str(refused.value.message)


async def test_a_person_may_have_several_devices(join: Join) -> None:
    phone = await join("Ann")
    laptop = await join(also=phone)
    assert phone.u == laptop.u
    assert phone.welcome["sid"] != laptop.welcome["sid"]
    people = (await phone.request("watch"))["people"]
    assert [person["u"] for person in people].count(phone.u) == 1
    assert (await laptop.request("history"))["calls"] == []


async def test_the_seventeenth_device_of_a_person_is_refused(join: Join) -> None:
    first = await join("Ann")
    for _ in range(15):
        await join(also=first)
    with pytest.raises(RefusedError) as refused:
        await join(also=first)
    assert refused.value.code == "rate"


async def test_a_device_that_comes_again_replaces_itself_at_once(join: Join, door: Door) -> None:
    before = await join("Ann")
    after = await join(also=before, dev=before.dev)
    gone = await before.wait_closed()
    assert after.welcome["res"] is False
    assert after.welcome["sid"] != before.welcome["sid"]
    if door.transport == "websocket":
        assert gone.code == 4440
        assert before.bye is not None
        assert before.bye["why"] == "replaced"
        assert before.bye["act"] == "stop"
    await after.request("history")


async def test_a_session_that_was_replaced_cannot_be_resumed(join: Join) -> None:
    before = await join("Ann")
    await join(also=before, dev=before.dev)
    await before.wait_closed()
    assert await before.resume() is False
