"""Microphone, camera, screen and their pickers during a call."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import expect_media, expect_no_picture, expect_picture, expect_silence, expect_sound
from e2e.people import connect
from e2e.waiting import until

_SENT_LABEL = """(kind) => window.__peerline.peerConnections[0].getSenders()
  .find((sender) => sender.track?.kind === kind)?.track.label ?? null"""
_ONE_MORE_CAMERA = """() => {
  const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
  const camera = { kind: "videoinput", deviceId: "new", groupId: "", label: "Camera just plugged in" };
  navigator.mediaDevices.enumerateDevices = async () => [...(await list()), camera];
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
}"""


async def test_a_muted_microphone_sends_silence(call: Two) -> None:
    ann, bob = call
    await ann.button("Mute microphone").click()
    await expect(ann.button("Unmute microphone")).to_be_visible()
    await expect(ann.button("Mute microphone")).to_have_count(0)
    await expect(bob.page.get_by_text("Ann is muted")).to_be_attached()
    await expect_silence(bob.page)
    await expect_sound(ann.page)
    await ann.button("Unmute microphone").click()
    await expect(ann.button("Mute microphone")).to_be_visible()
    await expect_sound(bob.page)
    await expect(bob.page.get_by_text("Ann is muted")).to_have_count(0)


async def test_the_camera_can_be_turned_off_and_on(call: Two) -> None:
    ann, bob = call
    await expect_picture(bob.page)
    await ann.button("Turn camera off").click()
    await expect(ann.button("Turn camera on")).to_be_visible()
    await expect_no_picture(bob.page)
    await expect_media(ann.page)
    await ann.button("Turn camera on").click()
    await expect(ann.button("Turn camera off")).to_be_visible()
    await expect_picture(bob.page)


async def test_a_camera_can_be_turned_on_in_an_audio_call(two: Two) -> None:
    ann, bob = two
    await ann.audio_call(bob)
    await bob.answer()
    await ann.reads("Connected")
    await bob.reads("Connected")
    await ann.button("Turn camera on").click()
    await expect_picture(bob.page)
    await bob.button("Turn camera on").click()
    await expect_media(ann.page, bob.page)


async def test_the_screen_takes_the_camera_s_place_and_gives_it_back(call: Two) -> None:
    ann, bob = call
    camera = await ann.page.evaluate(_SENT_LABEL, "video")
    await ann.button("Share screen").click()
    await expect(ann.button("Stop sharing")).to_be_visible()
    shown = await ann.page.evaluate(_SENT_LABEL, "video")
    assert shown is not None
    assert shown != camera
    await expect_picture(bob.page)
    await expect_sound(bob.page)
    await ann.button("Stop sharing").click()
    await expect(ann.button("Share screen")).to_be_visible()
    await until("the camera again", lambda: ann.page.evaluate(_SENT_LABEL, "video"), lambda label: label == camera)
    await expect_picture(bob.page)


async def test_the_pickers_list_microphones_cameras_and_speakers(call: Two) -> None:
    for one in call:
        for picker in ("Microphone", "Camera", "Speaker"):
            box = one.page.get_by_role("combobox", name=picker, exact=True)
            await expect(box).to_be_enabled()
            assert await box.get_by_role("option").count() >= 2, picker


async def test_choosing_another_camera_sends_its_picture(call: Two) -> None:
    ann, bob = call
    box = ann.page.get_by_role("combobox", name="Camera", exact=True)
    assert await ann.page.evaluate(_SENT_LABEL, "video") == "fake_device_0"
    await box.select_option(label="fake_device_2")
    await until(
        "the other camera", lambda: ann.page.evaluate(_SENT_LABEL, "video"), lambda label: label == "fake_device_2"
    )
    await expect_picture(bob.page)
    await box.select_option(label="fake_device_0")
    await until(
        "the first camera", lambda: ann.page.evaluate(_SENT_LABEL, "video"), lambda label: label == "fake_device_0"
    )


async def test_choosing_another_microphone_sends_its_sound(call: Two) -> None:
    ann, bob = call
    box = ann.page.get_by_role("combobox", name="Microphone", exact=True)
    first, other = await ann.page.evaluate(_SENT_LABEL, "audio"), "Fake Audio Input 2"
    assert first != other
    await box.select_option(label=other)
    await until("the other microphone", lambda: ann.page.evaluate(_SENT_LABEL, "audio"), lambda label: label == other)
    await expect_sound(bob.page)
    await box.select_option(label=first)
    await until("the first microphone", lambda: ann.page.evaluate(_SENT_LABEL, "audio"), lambda label: label == first)


async def test_the_pickers_follow_devices_that_come(call: Two) -> None:
    ann, _ = call
    box = ann.page.get_by_role("combobox", name="Camera", exact=True)
    before = await box.get_by_role("option").count()
    await ann.page.evaluate(_ONE_MORE_CAMERA)
    await expect(box.get_by_role("option")).to_have_count(before + 1)
    await expect(box.get_by_role("option", name="Camera just plugged in")).to_be_attached()


@pytest.mark.parametrize("side", ["caller", "callee"])
async def test_without_camera_and_microphone_one_still_sees_and_hears_the_other(person: Invite, side: str) -> None:
    refuse = """navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("refused", "NotAllowedError"))"""
    without, other = await person("Ann", scripts=(refuse,)), await person("Bob")
    caller, callee = (without, other) if side == "caller" else (other, without)
    await connect(caller, callee)
    await expect_media(without.page)
    await expect(without.page.get_by_role("alert")).to_contain_text("Camera and microphone are not allowed.")
