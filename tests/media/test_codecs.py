"""The contract that every codec of the registry keeps."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("av", reason="codecs need PyAV: pip install 'peerline[media]'")

import numpy as np

from media.material import FRAME_RATE, correlation, picture, pieces, psnr, tone, voice
from peerline.errors import EncodingError, InvalidStateError, NotSupportedError, RangeError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs import (
    AudioSettings,
    Codec,
    VideoSettings,
    codec_names,
    codec_of,
    decoder_for,
    encoder_for,
    register,
)
from peerline.media.codecs.ffmpeg_encoder import FfmpegEncoder
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.video_frame import VideoFrame

every_codec = pytest.mark.parametrize("name", codec_names())
every_audio = pytest.mark.parametrize("name", codec_names("audio"))
every_video = pytest.mark.parametrize("name", codec_names("video"))

# What an encoder needs to keep a picture of 320x240 recognizable (dB), at 500 kbit/s.
GOOD_PSNR = 32


def encoded_pictures(encoder: Any, indices: Iterable[int]) -> list[EncodedFrame]:
    return [frame for index in indices for frame in encoder.encode(picture(index))]


def sound_of(frames: Iterable[AudioFrame]) -> Any:
    return np.concatenate([frame.samples for frame in frames])


# Sound -------------------------------------------------------------------------------------------------


@every_audio
@pytest.mark.parametrize(("rate", "channels", "count"), [(48000, 1, 960), (44100, 2, 441), (8000, 1, 333)])
def test_sound_comes_out_as_it_went_in(name: str, rate: int, channels: int, count: int) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    sound = tone(1.5, rate, channels=channels)
    encoded = [frame for piece in pieces(sound, rate, count) for frame in encoder.encode(piece)]
    decoded = [frame for one in encoded for frame in decoder.decode(one)]
    assert len(encoded) in (74, 75)
    assert sum(frame.duration_s for frame in decoded) == pytest.approx(1.5, abs=0.021)
    out_rate = decoded[0].rate
    mono = sound_of(frame.to_mono() for frame in decoded)
    assert correlation(tone(1.5, out_rate)[out_rate // 2 :], mono[out_rate // 2 :], out_rate // 100) > 0.99


@every_audio
@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
def test_frames_of_sound_follow_each_other_without_a_gap(name: str, frame_ms: int) -> None:
    encoder, decoder = encoder_for(name, AudioSettings(frame_ms=frame_ms)), decoder_for(name)
    encoded = [frame for piece in pieces(tone(0.5, 48000), 48000, 480) for frame in encoder.encode(piece)]
    ticks = codec_of(name).clock_rate * frame_ms // 1000
    assert [frame.timestamp for frame in encoded] == [ticks * index for index in range(len(encoded))]
    assert all(frame.is_key and frame.codec == name and frame.duration == ticks for frame in encoded)
    for frame in encoded:
        (sound,) = decoder.decode(frame)
        assert sound.count == sound.rate * frame_ms // 1000
        assert sound.time_s == frame.timestamp / codec_of(name).clock_rate


@every_audio
def test_timestamps_begin_where_the_source_does_and_leave_room_for_pauses(name: str) -> None:
    encoder, clock = encoder_for(name), codec_of(name).clock_rate
    first = encoder.encode(AudioFrame(tone(0.02, 48000), 48000, 96000))
    first += encoder.encode(AudioFrame(tone(0.02, 48000), 48000, 96960))
    later = encoder.encode(AudioFrame(tone(0.04, 48000), 48000, 144000))
    again = encoder.encode(AudioFrame(tone(0.04, 48000), 48000, 0))
    assert first[0].timestamp == 2 * clock
    assert later[-1].timestamp / clock == pytest.approx(3, abs=0.03)
    assert again[-1].timestamp > later[-1].timestamp


@every_audio
def test_each_frame_tells_how_loud_it_is(name: str) -> None:
    loud = encoder_for(name).encode(AudioFrame(tone(0.06, 48000), 48000))
    silent = encoder_for(name).encode(AudioFrame.silence(2880))
    assert loud[-1].audio_level == pytest.approx(15, abs=2)
    assert silent[-1].audio_level == 127


@every_audio
def test_a_new_bitrate_of_sound_is_followed_at_once_by_who_has_a_choice(name: str) -> None:
    encoder = encoder_for(name, AudioSettings(bitrate_bps=48_000))
    sound = list(pieces(voice(3, 48000), 48000, 960))

    def bitrate_bps(part: list[AudioFrame]) -> float:
        return 8 * sum(len(frame.data) for piece in part for frame in encoder.encode(piece)) / (len(part) * 0.02)

    before = bitrate_bps(sound[:75])
    encoder.set_bitrate(16_000)
    after = bitrate_bps(sound[75:])
    if name == "opus":
        assert before == pytest.approx(48_000, rel=0.15)
        assert after == pytest.approx(16_000, rel=0.15)
    else:
        assert before == pytest.approx(64_000, rel=0.03)
        assert after == pytest.approx(64_000, rel=0.03)


@every_audio
def test_a_stand_in_comes_for_each_lost_frame(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    encoded = [frame for piece in pieces(tone(0.5, 48000), 48000, 960) for frame in encoder.encode(piece)]
    for frame in encoded[:10]:
        (before,) = decoder.decode(frame)
    sound = decoder.decode(replace(encoded[12], lost_before=2))
    assert len(sound) == 3
    assert [frame.count for frame in sound] == [before.count] * 3
    assert [frame.time_s for frame in sound] == pytest.approx([0.2, 0.22, 0.24])
    for frame in sound:
        assert np.abs(frame.samples.astype(int)).max() > 1000


@every_audio
def test_concealed_sound_is_like_what_was_before_and_dies_away(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    for piece in pieces(tone(0.5, 48000), 48000, 960):
        for frame in encoder.encode(piece):
            (last,) = decoder.decode(frame)
    concealed = decoder.conceal(last.count)
    assert concealed.timestamp == last.timestamp + last.count
    assert correlation(last.samples[: last.count // 2], concealed.samples, last.rate // 300 + 1) > 0.9
    for _ in range(25):
        concealed = decoder.conceal(last.count)
    assert np.abs(concealed.samples.astype(int)).max() < np.abs(last.samples.astype(int)).max() / 4


@every_audio
def test_concealing_before_anything_was_heard_is_silence(name: str) -> None:
    concealed = decoder_for(name).conceal(480)
    assert concealed.samples.shape == (480, 1)
    assert not concealed.samples.any()


@every_audio
def test_an_empty_piece_of_sound_gives_no_frame(name: str) -> None:
    encoder = encoder_for(name)
    assert encoder.encode(AudioFrame.silence(0)) == []
    assert encoder.encode(AudioFrame.silence(0, rate=44100)) == []


# Pictures ----------------------------------------------------------------------------------------------


@every_video
def test_pictures_come_out_as_they_went_in(name: str) -> None:
    encoder, decoder = encoder_for(name, VideoSettings(bitrate_bps=500_000)), decoder_for(name)
    shown = [(i, one) for i in range(30) for frame in encoder.encode(picture(i)) for one in decoder.decode(frame)]
    assert len(shown) >= 28
    for index, frame in shown[-10:]:
        assert (frame.width, frame.height) == (320, 240)
        assert frame.time_s == pytest.approx(index / FRAME_RATE, abs=1e-5)
        assert psnr(frame, picture(index)) > GOOD_PSNR


@every_video
def test_colours_come_out_as_they_went_in(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    colours = np.zeros((128, 192, 3), np.uint8)
    colours[:, :64], colours[:, 64:128], colours[:, 128:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    for index in range(5):
        for frame in encoder.encode(VideoFrame.from_ndarray(colours, time_s=index / FRAME_RATE)):
            (shown,) = decoder.decode(frame)
    difference = np.abs(shown.to_ndarray("rgb24").astype(int) - colours)[:, [32, 96, 160]]
    assert difference.max() < 16


@every_video
def test_only_the_first_frame_is_a_key_frame_until_another_is_asked_for(name: str) -> None:
    encoder = encoder_for(name)
    frames = encoded_pictures(encoder, range(20))
    assert [frame.timestamp for frame in frames if frame.is_key] == [0]
    assert all(frame.codec == name for frame in frames)


@every_video
def test_a_key_frame_comes_when_it_is_asked_for(name: str) -> None:
    encoder = encoder_for(name, VideoSettings(bitrate_bps=500_000))
    encoded_pictures(encoder, range(15))
    encoder.request_key_frame()
    (key,) = encoded_pictures(encoder, [15])
    assert key.is_key
    assert not any(frame.is_key for frame in encoded_pictures(encoder, range(16, 25)))
    (shown,) = decoder_for(name).decode(key)
    assert psnr(shown, picture(15)) > 25


@every_video
def test_the_bitrate_is_followed_down_and_up(name: str) -> None:
    encoder = encoder_for(name, VideoSettings(bitrate_bps=600_000))

    def kbps(second: int) -> float:
        frames = encoded_pictures(encoder, range(second * FRAME_RATE, (second + 1) * FRAME_RATE))
        return sum(len(frame.data) for frame in frames) * 8 / 1000

    seconds = [kbps(0), kbps(1), kbps(2)]
    encoder.set_bitrate(200_000)
    seconds += [kbps(3), kbps(4), kbps(5)]
    encoder.set_bitrate(600_000)
    seconds += [kbps(6), kbps(7), kbps(8)]
    assert 400 < seconds[2] < 780
    assert 120 < seconds[5] < 290
    assert 400 < seconds[8] < 780


@every_video
def test_a_small_step_of_the_bitrate_costs_no_key_frame(name: str) -> None:
    encoder = encoder_for(name, VideoSettings(bitrate_bps=500_000))
    encoded_pictures(encoder, range(65))
    encoder.set_bitrate(540_000)
    assert not any(frame.is_key for frame in encoded_pictures(encoder, range(65, 70)))


@every_video
def test_steps_of_the_bitrate_in_quick_succession_cost_one_key_frame_at_most(name: str) -> None:
    encoder = encoder_for(name, VideoSettings(bitrate_bps=500_000))
    encoded_pictures(encoder, range(65))
    keys = 0
    for step in range(10):
        encoder.set_bitrate(500_000 if step % 2 else 100_000)
        keys += sum(frame.is_key for frame in encoded_pictures(encoder, range(65 + 4 * step, 69 + 4 * step)))
    assert keys <= 1


@every_video
@pytest.mark.parametrize(("width", "height"), [(321, 243), (65, 131), (160, 90), (1, 1), (640, 66)])
def test_unusual_sizes_are_encoded(name: str, width: int, height: int) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    shown = []
    for index in range(4):
        for frame in encoder.encode(picture(index, width, height)):
            shown += decoder.decode(frame)
    smallest, is_even = (64, False) if name == "av1" else (2, True) if name == "h264" else (1, False)
    lengths = [max(smallest, length & ~1 if is_even else length) for length in (width, height)]
    assert [shown[-1].width, shown[-1].height] == lengths
    if lengths == [width, height]:
        assert psnr(shown[0], picture(0, width, height)) > 25


@every_video
def test_a_new_size_begins_with_a_key_frame_of_it(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    for frame in encoded_pictures(encoder, range(5)):
        decoder.decode(frame)
    (key,) = encoder.encode(replace_time(picture(5, 200, 120), 5))
    (shown,) = decoder.decode(key)
    assert key.is_key
    assert (shown.width, shown.height) == (200, 120)
    assert psnr(shown, picture(5, 200, 120)) > 25


def replace_time(frame: VideoFrame, index: int) -> VideoFrame:
    return VideoFrame(frame.to_av(), time_s=index / FRAME_RATE)


@every_video
def test_timestamps_are_times_of_90_khz_and_go_on_when_a_source_begins_again(name: str) -> None:
    encoder = encoder_for(name)
    times_s = [10.0, 10.04, 10.11, 0.0, 0.04]
    stamps = [encoder.encode(VideoFrame(picture(0).to_av(), time_s=time_s))[0].timestamp for time_s in times_s]
    assert stamps == [900_000, 903_600, 909_900, 912_900, 916_500]


@every_video
def test_how_a_picture_is_to_be_turned_is_passed_on(name: str) -> None:
    (frame,) = encoder_for(name).encode(VideoFrame(picture(0).to_av(), rotation=90))
    (shown,) = decoder_for(name).decode(frame)
    assert (frame.rotation, shown.rotation) == (90, 90)
    assert (shown.width, shown.height) == (320, 240)


@every_video
def test_two_encoders_may_share_a_picture(name: str) -> None:
    one, other = encoder_for(name), encoder_for(name)
    shared = picture(0)
    assert one.encode(shared)[0].is_key
    assert other.encode(shared)[0].is_key
    assert other.encode(picture(1))
    assert not one.encode(picture(1))[0].is_key


@every_video
def test_pictures_wait_for_a_key_frame_at_first_and_after_a_loss(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    frames = encoded_pictures(encoder, range(6))
    encoder.request_key_frame()
    frames += encoded_pictures(encoder, [6, 7])
    assert decoder.needs_key_frame
    assert decoder.decode(frames[1]) == []
    assert len(decoder.decode(frames[0])) == 1
    assert not decoder.needs_key_frame
    assert decoder.decode(replace(frames[3], lost_before=1)) == []
    assert decoder.needs_key_frame
    assert decoder.decode(frames[4]) == []
    assert len(decoder.decode(replace(frames[-2], lost_before=1))) == 1
    assert len(decoder.decode(frames[-1])) == 1


# Faults ------------------------------------------------------------------------------------------------


@every_video
@pytest.mark.parametrize("is_key", [True, False])
@pytest.mark.parametrize("data", [b"", b"\x01", bytes(100), random.Random(3).randbytes(500)], ids=lambda d: len(d))
def test_malformed_frames_raise_and_the_next_key_frame_is_decoded(name: str, data: bytes, is_key: bool) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    frames = encoded_pictures(encoder, range(3))
    decoder.decode(frames[0])
    with pytest.raises(EncodingError):
        decoder.decode(replace(frames[1], data=data, is_key=is_key))
    assert decoder.needs_key_frame
    assert decoder.decode(frames[2]) == []
    (shown,) = decoder.decode(frames[0])
    assert psnr(shown, picture(0)) > 25


@every_codec
def test_no_bytes_at_all_bring_a_decoder_down(name: str) -> None:
    dice = random.Random(name)
    if codec_of(name).kind == "audio":
        good = encoder_for(name).encode(AudioFrame(tone(0.02, 48000), 48000))
        good = good or [EncodedFrame(bytes(160), 0, name)]
    else:
        good = encoded_pictures(encoder_for(name), range(4))
    decoder = decoder_for(name)
    for _ in range(150):
        frame = dice.choice(good)
        data = bytearray(frame.data)
        for _ in range(dice.randrange(1, 8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            decoder.decode(replace(frame, data=bytes(data[: dice.randrange(1, len(data) + 1)])))
        except EncodingError:
            pass
    assert len(decoder.decode(good[0])) == 1


@every_audio
def test_an_empty_frame_of_sound_raises_and_the_next_is_decoded(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    (frame, *_) = encoder.encode(AudioFrame(tone(0.1, 48000), 48000))
    with pytest.raises(EncodingError):
        decoder.decode(replace(frame, data=b""))
    assert len(decoder.decode(frame)) == 1


@every_codec
def test_closing_twice_is_fine_and_nothing_works_afterwards(name: str) -> None:
    encoder, decoder = encoder_for(name), decoder_for(name)
    sample: Any = AudioFrame(tone(0.1, 48000), 48000) if codec_of(name).kind == "audio" else picture(0)
    (frame, *_) = encoder.encode(sample)
    decoder.decode(frame)
    for one in (encoder, decoder):
        one.close()
        one.close()
    encoder.set_bitrate(100_000)
    with pytest.raises(InvalidStateError):
        encoder.encode(sample)
    with pytest.raises(InvalidStateError):
        decoder.decode(frame)


@every_codec
def test_unused_ones_can_be_closed(name: str) -> None:
    encoder_for(name).close()
    decoder_for(name).close()


@pytest.mark.parametrize("name", ["vp8", "vp9"])
def test_where_libvpx_is_unknown_ffmpegs_way_to_it_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise NotSupportedError("unknown")

    monkeypatch.setattr("peerline.media.codecs.libvpx.require", refuse)
    encoder, decoder = encoder_for(name, VideoSettings(bitrate_bps=500_000)), decoder_for(name)
    assert isinstance(encoder, FfmpegEncoder)
    frames = encoded_pictures(encoder, range(70))
    encoder.set_bitrate(200_000)
    encoder.request_key_frame()
    frames += encoded_pictures(encoder, range(70, 80))
    assert [index for index, frame in enumerate(frames) if frame.is_key] == [0, 70]
    shown = [one for frame in frames for one in decoder.decode(frame)]
    assert psnr(shown[60], picture(60)) > GOOD_PSNR


def test_pictures_may_be_encoded_by_many_threads() -> None:
    for name in codec_names("video"):
        (frame,) = encoder_for(name, VideoSettings(threads=17)).encode(picture(0, 1280, 720))
        assert len(decoder_for(name).decode(frame)) == 1


def test_an_unknown_codec_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(NotSupportedError) as caught:
        encoder_for("theora")
    assert "opus" in (caught.value.hint or "")


def test_names_are_those_of_sdp_in_any_case() -> None:
    assert codec_of("VP8") is codec_of("vp8")
    assert codec_of("H264").clock_rate == 90000


def test_others_can_plug_a_codec_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peerline.media.codecs.registry._CODECS", {})
    register(Codec("L16", "audio", 8000, lambda settings: settings, None))
    assert codec_names() == ("l16",)
    assert encoder_for("l16") == AudioSettings()
    with pytest.raises(NotSupportedError):
        decoder_for("L16")


@pytest.mark.parametrize("wrong", [{"channels": 3}, {"frame_ms": 30}, {"bitrate_bps": 0}, {"expected_loss": 1.5}])
def test_impossible_settings_of_sound_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RangeError):
        AudioSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"bitrate_bps": -1}, {"frame_rate": 0}])
def test_impossible_settings_of_pictures_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RangeError):
        VideoSettings(**wrong)
