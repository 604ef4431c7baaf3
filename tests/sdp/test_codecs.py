"""fmtp by codec: H.264's profiles and levels, VP9's profiles, what Opus is asked for."""

from __future__ import annotations

import pytest

from peerline.sdp import (
    Fmtp,
    H264Profile,
    OpusParameters,
    ProfileLevelId,
    SdpError,
    answered_profile_level_id,
    is_same_codec,
    vp9_profile,
)
from sdp.captures import capture

ASYMMETRY = "level-asymmetry-allowed=1"


@pytest.mark.parametrize(
    ("text", "profile", "level"),
    [
        ("42e01f", H264Profile.CONSTRAINED_BASELINE, "3.1"),
        ("42001f", H264Profile.BASELINE, "3.1"),
        ("42800a", H264Profile.BASELINE, "1"),
        ("4D001F", H264Profile.MAIN, "3.1"),
        ("4d8028", H264Profile.CONSTRAINED_BASELINE, "4"),
        ("64001f", H264Profile.HIGH, "3.1"),
        ("640c34", H264Profile.CONSTRAINED_HIGH, "5.2"),
        ("f40028", H264Profile.HIGH_444, "4"),
        ("42f00b", H264Profile.CONSTRAINED_BASELINE, "1b"),
        ("640009", H264Profile.HIGH, "1b"),
        ("42e0ff", H264Profile.CONSTRAINED_BASELINE, None),
        ("010203", None, None),
    ],
)
def test_a_profile_level_id_names_a_profile_and_a_level(text: str, profile: str | None, level: str | None) -> None:
    found = ProfileLevelId.parse(text)
    assert (found.profile, found.level) == (profile, level)
    assert str(found) == text.lower()


@pytest.mark.parametrize("text", ["", "42e01", "42e01g", "42e01f0", "４２e01f"])
def test_a_profile_level_id_is_six_hex_digits(text: str) -> None:
    with pytest.raises(SdpError, match="six hex digits"):
        ProfileLevelId.parse(text)


def test_every_h264_of_chromium_and_pion_has_a_profile() -> None:
    for name in ("chromium/all-codecs-offer", "pion/audio-video-data-offer"):
        codecs = [codec for codec in capture(name).media[1].codecs if codec.key == "h264"]
        assert codecs
        assert all(ProfileLevelId.parse(codec.fmtp.get("profile-level-id") or "").profile for codec in codecs)


@pytest.mark.parametrize(
    ("own", "offered", "answer"),
    [
        ("profile-level-id=42e01f", "profile-level-id=42e034", "42e01f"),
        ("profile-level-id=42e034", "profile-level-id=42e01f", "42e01f"),
        (f"profile-level-id=42e034;{ASYMMETRY}", f"profile-level-id=42e01f;{ASYMMETRY}", "42e034"),
        (f"profile-level-id=42e034;{ASYMMETRY}", "profile-level-id=42e01f", "42e01f"),
        ("profile-level-id=42f00b", "profile-level-id=42e00b", "42f00b"),
        ("profile-level-id=42f00b", "profile-level-id=42e00a", "42e00a"),
        ("", "", "42000a"),
    ],
)  # fmt: skip
def test_an_answer_takes_the_lower_level_unless_both_may_differ(own: str, offered: str, answer: str) -> None:
    assert answered_profile_level_id(Fmtp(own), Fmtp(offered)) == answer


def test_an_answer_with_another_profile_is_refused() -> None:
    with pytest.raises(SdpError, match="different profiles"):
        answered_profile_level_id(Fmtp("profile-level-id=42e01f"), Fmtp("profile-level-id=64001f"))


def test_codecs_of_chromium_are_found_again_in_pion_whatever_their_numbers() -> None:
    offer, answer = capture("chromium/audio-video-data-offer"), capture("pion/answer-to-chromium")
    for theirs in answer.media[1].codecs:
        found = [ours for ours in offer.media[1].codecs if is_same_codec(ours, theirs)]
        assert found, theirs


def test_h264_in_another_packetization_mode_or_profile_is_another_codec() -> None:
    codecs = [codec for codec in capture("chromium/all-codecs-offer").media[1].codecs if codec.key == "h264"]
    for one in codecs:
        assert [other for other in codecs if is_same_codec(one, other)] == [one]


def test_vp9_profiles_are_told_apart() -> None:
    codecs = [codec for codec in capture("chromium/all-codecs-offer").media[1].codecs if codec.key == "vp9"]
    assert sorted(vp9_profile(codec.fmtp) for codec in codecs)[:2] == [0, 2]
    assert not is_same_codec(codecs[0], codecs[1])
    assert vp9_profile(Fmtp("max-fr=60")) == 0
    with pytest.raises(SdpError, match="profile-id"):
        vp9_profile(Fmtp("profile-id=4"))


def test_opus_says_what_its_receiver_wants() -> None:
    asked = OpusParameters.parse(Fmtp("minptime=10; useinbandfec=1;stereo=1;maxaveragebitrate=64000;usedtx=1"))
    assert (asked.min_ptime_ms, asked.max_average_bitrate_bps) == (10, 64000)
    assert (asked.uses_inband_fec, asked.is_stereo, asked.uses_dtx, asked.is_cbr) == (True, True, True, False)
    assert OpusParameters.parse(Fmtp()).max_playback_rate_hz == 48000
    with pytest.raises(SdpError, match="stereo"):
        OpusParameters.parse(Fmtp("stereo=yes"))


@pytest.mark.parametrize("text", ["0-15", "111/111", "apt=96", "a = b ; c", ";;", "x=1;X=2"])
def test_parameters_are_kept_as_they_were_written(text: str) -> None:
    assert str(Fmtp(text)) == text


def test_the_first_parameter_of_a_name_counts_and_names_have_no_case() -> None:
    assert Fmtp("X=1;x=2").parameters == {"x": "1"}
    assert Fmtp("0-15").parameters == {"0-15": ""}
