"""Who is there, and what they let be known of it (protocol, section 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client import Client, Message, RefusedError
from client.conversation import settle, talk
from contract.conftest import Join


def about(person: Client) -> Any:
    """Whether a `pres` tells of this person."""
    return lambda message: any(entry["u"] == person.u for entry in message["d"]["people"])


async def state_of(person: Client, watcher: Client, state: str) -> Message:
    """Wait until the watcher reads this state of the person; return the person's entry."""

    def tells(message: Message) -> bool:
        entries = [entry for entry in message["d"]["people"] if entry["u"] == person.u]
        return bool(entries) and entries[-1]["st"] == state

    told = await watcher.expect("pres", where=tells)
    entry: Message = next(entry for entry in told["d"]["people"] if entry["u"] == person.u)
    return entry


async def watch(watcher: Client) -> dict[str, Message]:
    return {entry["u"]: entry for entry in (await watcher.request("watch"))["people"]}


async def test_watch_lists_everybody_present_oneself_included(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    people = await watch(ann)
    assert people[ann.u] == {"u": ann.u, "n": ann.name, "st": "online"}
    assert people[bob.u] == {"u": bob.u, "n": bob.name, "st": "online"}


async def test_nothing_but_name_and_presence_is_told(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    people = await watch(ann)
    assert all(set(entry) == {"u", "n", "st"} for entry in people.values())
    await bob.notify("pres", st="away")
    assert await state_of(bob, ann, "away") == {"u": bob.u, "n": bob.name, "st": "away"}


async def test_a_watcher_sees_people_come_and_go(join: Join) -> None:
    ann = await join("Ann")
    await watch(ann)
    bob = await join("Bob")
    await state_of(bob, ann, "online")
    await bob.close()
    await state_of(bob, ann, "offline")
    assert bob.u not in await watch(ann)


async def test_a_person_is_offline_only_when_the_last_device_has_left(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    await watch(ann)
    await phone.close()
    assert (await watch(ann))[laptop.u]["st"] == "online"
    await laptop.close()
    await state_of(laptop, ann, "offline")


async def test_who_lost_the_socket_is_offline_after_a_moment(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await watch(ann)
    await bob.abort_socket()
    await state_of(bob, ann, "offline")
    assert await bob.resume() is True
    await state_of(bob, ann, "online")


async def test_presence_holds_for_the_person_and_the_last_word_counts(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    await watch(ann)
    await phone.request("pres", st="dnd")
    await state_of(phone, ann, "dnd")
    await laptop.request("pres", st="away")
    await state_of(phone, ann, "away")
    assert (await watch(laptop))[phone.u]["st"] == "away"


async def test_presence_is_forgotten_when_the_last_device_leaves(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await bob.request("pres", st="dnd")
    await bob.close()
    again = await join(also=bob)
    assert (await watch(ann))[again.u]["st"] == "online"


async def test_two_who_talk_are_in_a_call_and_then_online_again(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await watch(eve)
    call = await talk(ann, bob)
    await state_of(ann, eve, "call")
    people = await watch(eve)
    assert people[ann.u]["st"] == people[bob.u]["st"] == "call"
    await ann.request("end", call)
    await state_of(bob, eve, "online")
    people = await watch(eve)
    assert people[ann.u]["st"] == people[bob.u]["st"] == "online"


async def test_many_changes_are_told_as_few(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await watch(ann)
    changes = [{"t": "pres", "s": bob.next_s(), "d": {"st": "away" if turn % 2 else "dnd"}} for turn in range(60)]
    last = {"t": "pres", "s": bob.next_s(), "d": {"st": "online"}}
    await bob.raw(json.dumps(changes).encode())
    await bob.raw(json.dumps(last).encode())
    await bob.request("pres", st="away")
    await state_of(bob, ann, "away")
    told = [message for message in ann.log if message["t"] == "pres" and about(bob)(message)]
    assert len(told) <= 10, "62 changes in one go are one or a few messages, not one each"


async def test_unwatch_ends_it(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await watch(ann)
    await watch(eve)
    await ann.request("unwatch")
    await bob.request("pres", st="away")
    await state_of(bob, eve, "away")
    await bob.request("pres", st="dnd")
    await state_of(bob, eve, "dnd")
    await settle(ann)
    assert not [message for message in ann.log if message["t"] == "pres" and about(bob)(message)]


async def test_what_is_no_presence_is_refused(join: Join) -> None:
    ann = await join("Ann")
    for state in ("call", "offline", "happy", 7, None):
        with pytest.raises(RefusedError) as refused:
            await ann.request("pres", st=state)
        assert refused.value.code == "bad"
