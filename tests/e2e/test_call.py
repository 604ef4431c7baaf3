"""The story: two people register, call each other, talk and hang up."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import expect_media, expect_sound, sample
from e2e.people import connect, in_order


async def test_two_people_call_each_other_and_sound_and_picture_flow_both_ways(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await ann.reads("Ringing…")
    await expect(bob.ringing).to_be_visible()
    await expect(bob.ringing).to_contain_text("Ann")

    await bob.answer()
    await ann.reads("Connected")
    await bob.reads("Connected")
    await expect_media(ann.page, bob.page)
    for one in two:
        assert await one.live_connections() == 1
        for role in ("local", "remote"):
            await expect(one.video(role)).to_be_visible()
            playing = await one.video(role).evaluate("(video) => !video.paused && video.videoWidth > 0")
            assert playing, f"{one.name}'s {role} video"

    await ann.hang_up()
    for one in two:
        await one.reads("Call ended")
        await one.is_in_lobby()
        assert await one.live_connections() == 0
    assert in_order(["Calling…", "Ringing…", "Connected", "Call ended"], await ann.heard())


async def test_the_called_one_can_hang_up_and_they_can_call_again(talking: Two) -> None:
    ann, bob = talking
    await bob.hang_up()
    for one in talking:
        await one.reads("Call ended")
        await one.is_in_lobby()
    await connect(bob, ann)
    await expect_media(ann.page, bob.page)


async def test_camera_and_microphone_are_free_again_after_the_call(talking: Two) -> None:
    ann, bob = talking
    tracks = [await one.video("local").evaluate_handle("(video) => video.srcObject.getTracks()") for one in talking]
    for held in tracks:
        assert await held.evaluate("(tracks) => tracks.map((track) => track.readyState)") == ["live", "live"]
    await ann.hang_up()
    await bob.reads("Call ended")
    for held in tracks:
        assert await held.evaluate("(tracks) => tracks.map((track) => track.readyState)") == ["ended", "ended"]


async def test_the_callee_s_camera_is_asked_for_only_after_accepting(person: Invite) -> None:
    count = """(() => {
      window.asked = [];
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wish) => { window.asked.push(wish); return open(wish); };
    })()"""
    ann, bob = await asyncio.gather(person("Ann"), person("Bob", scripts=(count,)))
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await ann.reads("Ringing…")
    assert await bob.page.evaluate("window.asked") == []
    await bob.answer()
    await bob.reads("Connected")
    assert len(await bob.page.evaluate("window.asked")) == 1


async def test_an_audio_call_opens_no_camera_on_either_side(two: Two) -> None:
    ann, bob = two
    await ann.audio_call(bob)
    await bob.answer()
    await ann.reads("Connected")
    await bob.reads("Connected")
    for one in two:
        await expect_sound(one.page)
        seen = await sample(one.page)
        assert seen.video_in.packets == 0
        assert seen.video_out.packets == 0
        kinds = "window.__peerline.peerConnections[0].getSenders().map((s) => s.track?.kind).filter(Boolean)"
        assert await one.page.evaluate(kinds) == ["audio"]


async def test_accepting_with_audio_only_still_shows_the_caller(two: Two) -> None:
    ann, bob = two
    await connect(ann, bob, "Accept with audio only")
    await expect_media(bob.page)
    await expect_sound(ann.page)
    assert (await sample(ann.page)).video_in.packets == 0


async def test_declining_tells_the_caller(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await bob.answer("Decline")
    await ann.reads("Declined")
    await ann.is_in_lobby()
    await expect(bob.ringing).to_be_hidden()
    await bob.is_in_lobby()


async def test_hang_up_takes_an_outgoing_call_back(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await ann.hang_up()
    await expect(bob.ringing).to_be_hidden()
    await ann.reads("Call ended")
    await ann.is_in_lobby()
    await bob.is_in_lobby()


async def test_somebody_who_talks_is_busy(person: Invite, talking: Two) -> None:
    ann, bob = talking
    cleo = await person("Cleo")
    await cleo.call(bob)
    await cleo.reads("Busy")
    await cleo.is_in_lobby()
    await expect(bob.ringing).to_be_hidden()
    await ann.reads("Connected")
    await bob.reads("Connected")
    await expect_media(ann.page, bob.page)


async def test_somebody_who_rings_is_busy(person: Invite, two: Two) -> None:
    ann, bob = two
    cleo = await person("Cleo")
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await cleo.call(bob)
    await cleo.reads("Busy")
    await expect(bob.ringing).to_contain_text("Ann")


async def test_do_not_disturb_does_not_ring(two: Two) -> None:
    ann, bob = two
    await bob.page.get_by_role("radio", name="Do not disturb").check()
    await expect(ann.people).to_contain_text("Do not disturb")
    await ann.call(bob)
    await ann.reads("Busy")
    await expect(bob.ringing).to_be_hidden()


@pytest.mark.settings(signaling={"ring_s": 2})
async def test_a_call_that_nobody_answers_ends_by_itself(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await ann.reads("No answer")
    await ann.is_in_lobby()
    await expect(bob.ringing).to_be_hidden()
    await expect(bob.page.get_by_role("heading", name="Missed calls")).to_be_visible()
