"""Recording into files and playing out, with arrivals in virtual time."""

from __future__ import annotations

import asyncio
import io
import os
import random
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace

pytest.importorskip("av", reason="recording needs PyAV: pip install 'peerline[media]'")

import av
import numpy as np
from numpy.typing import NDArray

from media.material import FRAME_RATE, correlation, picture, pieces, tone
from media.tracks import until
from peerline.errors import (
    InvalidStateError,
    NotAllowedError,
    NotFoundError,
    NotReadableError,
    NotSupportedError,
    QuotaExceededError,
    RangeError,
)
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs import AudioSettings, VideoSettings, encoder_for
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.encoded_track import EncodedTrack
from peerline.media.sink import Frame
from peerline.media.sinks import FileSink, NullSink, Playout, Speaker
from peerline.media.sinks.backlog import Arrival, Backlog
from peerline.media.sinks.container import container_for
from peerline.media.sinks.lane import Lane
from peerline.media.sinks.timeline import Timeline
from peerline.media.source import Source
from peerline.media.track import MediaStreamTrack

CLOCKS = {"opus": 48000, "pcmu": 8000, "vp8": 90000, "h264": 90000, "vp9": 90000, "av1": 90000}


class Clock:
    """Time that is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sound(codec: str = "opus", duration_s: float = 2.0, start: int = 0) -> list[EncodedFrame]:
    """Frames of 20 ms, whose timestamps begin at `start`."""
    encoder = encoder_for(codec, AudioSettings())
    found = [one for piece in pieces(tone(duration_s, 48000), 48000, 960) for one in encoder.encode(piece)]
    return [replace(one, timestamp=one.timestamp + start) for one in found]


def film(
    codec: str = "vp8",
    duration_s: float = 2.0,
    start: int = 0,
    keys: Iterable[int] = (),
    size: tuple[int, int] = (160, 120),
) -> list[EncodedFrame]:
    """Frames of 1/30 s, with a key frame at the beginning and at those indices."""
    encoder, found = encoder_for(codec, VideoSettings(bitrate_bps=200_000)), []
    for index in range(round(duration_s * FRAME_RATE)):
        if index in keys:
            encoder.request_key_frame()
        found += encoder.encode(picture(index, *size))
    encoder.close()
    return [replace(one, timestamp=one.timestamp + start) for one in found]


def arrive(clock: Clock, *streams: tuple[EncodedTrack, list[EncodedFrame], float]) -> None:
    """Write each frame at its time: the streams begin so many seconds from now."""
    begin_s = clock.now
    due = []
    for track, frames, after_s in streams:
        for frame in frames:
            at_s = (frame.timestamp - frames[0].timestamp) / CLOCKS[frame.codec] + after_s
            due.append((at_s, track, frame))
    for at_s, track, frame in sorted(due, key=lambda one: one[0]):
        clock.now = begin_s + at_s
        track.write(frame)


def time_s(packet: av.Packet[Any]) -> float:
    assert packet.pts is not None
    assert packet.time_base is not None
    return float(packet.pts * packet.time_base)


def packets(path: Path, kind: Literal["audio", "video"]) -> list[Any]:
    with av.open(str(path)) as file:
        stream = file.streams.audio[0] if kind == "audio" else file.streams.video[0]
        return [(time_s(one), bytes(one), one.is_keyframe) for one in file.demux(stream) if one.size]


def pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def samples(path: Path, rate: int = 48000) -> NDArray[np.int16]:
    """Mono, of shape (count,)."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(str(path)) as file:
        found = [one.to_ndarray()[0] for frame in file.decode(audio=0) for one in resampler.resample(frame)]
    return np.concatenate(found)


def boxes(path: Path) -> list[str]:
    """What an MP4 consists of."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return found


def datas(frames: Iterable[EncodedFrame]) -> list[bytes]:
    return [frame.data for frame in frames]


async def recorded(path: Path, *streams: tuple[EncodedTrack, list[EncodedFrame], float], **options: Any) -> FileSink:
    clock = Clock()
    async with FileSink(path, clock=clock, **options) as recorder:
        for track, _, _ in streams:
            recorder.add_track(track)
        recorder.start()
        arrive(clock, *streams)
    return recorder


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "peerline-recorder"]


# Frames that come encoded ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("webm", "vp8"),
        ("webm", "vp9"),
        ("webm", "av1"),
        ("mkv", "vp8"),
        ("mkv", "h264"),
        ("mp4", "vp9"),
        ("mp4", "av1"),
    ],
)
async def test_encoded_frames_are_written_untouched_and_in_time(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"call.{suffix}"
    heard, seen = sound(start=random.getrandbits(32)), film(codec, start=random.getrandbits(32))
    recorder = await recorded(path, (EncodedTrack("audio"), heard, 0.0), (EncodedTrack("video"), seen, 0.25))

    audio, video = packets(path, "audio"), packets(path, "video")
    assert [data for _, data, _ in audio] == datas(heard)
    if codec != "h264":  # its start codes become lengths
        assert [data for _, data, _ in video] == datas(seen)
    assert [is_key for _, _, is_key in video] == [frame.is_key for frame in seen]
    first_s = audio[0][0]
    assert first_s == pytest.approx(0, abs=0.01)
    assert [at_s for at_s, _, _ in audio] == pytest.approx([first_s + 0.02 * i for i in range(len(heard))], abs=0.002)
    assert [at_s for at_s, _, _ in video] == pytest.approx([0.25 + i / 30 for i in range(len(seen))], abs=0.01)
    assert len(pictures(path)) == len(seen)
    assert recorder.duration_s == pytest.approx(2.25, abs=0.05)
    with av.open(str(path)) as file:
        assert (file.duration or 0) / 1e6 == pytest.approx(2.25, abs=0.05)
    assert recorder.bytes_written == path.stat().st_size
    assert recorder.dropped == 0
    assert recorder.error is None


async def test_an_mp4_of_h264_and_opus_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "call.mp4"
    heard, seen = sound(start=77), film("h264", start=5_000_000, keys=[30])
    await recorded(path, (EncodedTrack("audio"), heard, 0.1), (EncodedTrack("video"), seen, 0.0))
    shown = pictures(path)
    assert [float(one.time) for one in shown] == pytest.approx([i / 30 for i in range(60)], abs=0.01)
    assert [i for i, (_, _, is_key) in enumerate(packets(path, "video")) if is_key] == [0, 30]
    audio = packets(path, "audio")
    assert [data for _, data, _ in audio] == datas(heard)
    assert audio[0][0] == pytest.approx(0.1, abs=0.02)
    assert boxes(path) == ["ftyp", "free", "mdat", "moov"], "a finished file is a plain one"


async def test_opus_goes_into_ogg_untouched(tmp_path: Path) -> None:
    heard = sound(start=123456)
    await recorded(tmp_path / "call.ogg", (EncodedTrack("audio"), heard, 0.0))
    assert [data for _, data, _ in packets(tmp_path / "call.ogg", "audio")] == datas(heard)
    assert len(samples(tmp_path / "call.ogg")) / 48000 == pytest.approx(2.0, abs=0.03)


async def test_a_gap_stays_a_gap(tmp_path: Path) -> None:
    heard = sound()
    lost = [*heard[:20], replace(heard[45], lost_before=25), *heard[46:]]
    await recorded(tmp_path / "call.webm", (EncodedTrack("audio"), lost, 0.0))
    times_s = [at_s for at_s, _, _ in packets(tmp_path / "call.webm", "audio")]
    assert times_s[20] - times_s[19] == pytest.approx(0.52, abs=0.002)

    await recorded(tmp_path / "call.ogg", (EncodedTrack("audio"), lost, 0.0))
    assert len(samples(tmp_path / "call.ogg")) / 48000 == pytest.approx(2.0, abs=0.03)


async def test_a_recording_that_joins_late_begins_with_a_key_frame_which_it_asks_for(tmp_path: Path) -> None:
    track, frames = EncodedTrack("video"), film(keys=[20])
    asked: list[object] = []
    track.onkeyframe = asked.append
    await recorded(tmp_path / "late.webm", (track, frames[7:], 0.0))
    await asyncio.sleep(0)
    assert [data for _, data, _ in packets(tmp_path / "late.webm", "video")] == datas(frames[20:])
    assert packets(tmp_path / "late.webm", "video")[0][0] == 0
    assert asked


async def test_another_size_in_the_middle_is_fine(tmp_path: Path) -> None:
    small, large = film(duration_s=1), film(duration_s=1, start=90000, size=(320, 240))
    await recorded(tmp_path / "call.webm", (EncodedTrack("video"), small + large, 0.0))
    assert {(one.width, one.height) for one in pictures(tmp_path / "call.webm")} == {(160, 120), (320, 240)}
    assert len(packets(tmp_path / "call.webm", "video")) == 60


async def test_a_broken_key_frame_is_left_out_and_the_next_one_begins(tmp_path: Path) -> None:
    frames = film(keys=[10])
    broken = [replace(frames[0], data=bytes(20)), *frames[1:]]
    recorder = await recorded(tmp_path / "call.webm", (EncodedTrack("video"), broken, 0.0))
    assert len(pictures(tmp_path / "call.webm")) == 50
    assert recorder.dropped == 1


async def test_a_track_that_ends_early_leaves_the_other_in_the_file(tmp_path: Path) -> None:
    clock, audio, video = Clock(), EncodedTrack("audio"), EncodedTrack("video")
    async with FileSink(tmp_path / "call.webm", clock=clock) as recorder:
        recorder.add_track(audio)
        recorder.add_track(video)
        recorder.start()
        heard = sound()
        arrive(clock, (audio, heard[:25], 0.0), (video, film(duration_s=0.5), 0.0))
        video.stop()
        arrive(clock, (audio, heard[25:], 0.02))
    assert len(packets(tmp_path / "call.webm", "video")) == 15
    assert [data for _, data, _ in packets(tmp_path / "call.webm", "audio")] == datas(heard)


async def test_the_file_is_complete_when_all_tracks_have_ended(tmp_path: Path) -> None:
    clock, track = Clock(), EncodedTrack("audio")
    recorder = FileSink(tmp_path / "call.webm", clock=clock)
    recorder.add_track(track)
    recorder.start()
    arrive(clock, (track, sound(), 0.0))
    track.stop()
    await until(lambda: not recorder.is_recording)
    assert len(packets(tmp_path / "call.webm", "audio")) == 100
    await recorder.stop()


@pytest.mark.parametrize("suffix", ["webm", "mp4"])
async def test_a_track_that_shows_nothing_at_first_can_come_later(tmp_path: Path, suffix: str) -> None:
    codec = "vp8" if suffix == "webm" else "h264"
    path, heard, seen = tmp_path / f"call.{suffix}", sound(duration_s=5), film(codec, duration_s=1)
    await recorded(path, (EncodedTrack("audio"), heard, 0.0), (EncodedTrack("video"), seen, 4.0))
    assert [data for _, data, _ in packets(path, "audio")] == datas(heard)
    shown = pictures(path)
    assert len(shown) == 31
    assert shown[0].to_ndarray(format="gray").max() < 20
    assert [float(one.time) for one in shown[1:]] == pytest.approx([4 + i / 30 for i in range(30)], abs=0.02)


@pytest.mark.parametrize("suffix", ["webm", "mp4", "ogg"])
async def test_a_track_that_says_nothing_at_first_can_come_later(tmp_path: Path, suffix: str) -> None:
    path, first, later = tmp_path / f"call.{suffix}", sound(duration_s=5), sound(duration_s=1, start=99)
    tracks = EncodedTrack("audio"), EncodedTrack("audio")
    await recorded(path, (tracks[0], first, 0.0), (tracks[1], later, 4.0))
    with av.open(str(path)) as file:
        found = [(time_s(one), bytes(one)) for one in file.demux(audio=1) if one.size]
    assert [data for _, data in found][-50:] == datas(later)
    assert found[-50][0] == pytest.approx(4, abs=0.01)


async def test_timestamps_that_begin_again_go_on_where_they_arrive(tmp_path: Path) -> None:
    first, second = sound(duration_s=1, start=9_000_000), sound(duration_s=1, start=17)
    clock, track = Clock(), EncodedTrack("audio")
    async with FileSink(tmp_path / "call.webm", clock=clock) as recorder:
        recorder.add_track(track)
        recorder.start()
        arrive(clock, (track, first, 0.0))
        arrive(clock, (track, second, 0.3))
    times_s = [at_s for at_s, _, _ in packets(tmp_path / "call.webm", "audio")]
    assert times_s[50] - times_s[49] == pytest.approx(0.3, abs=0.005)
    assert times_s[-1] - times_s[50] == pytest.approx(0.98, abs=0.005)


# Frames that have to be encoded, or decoded ------------------------------------------------------------


class Given(Source):
    """What the test gives."""


def given(kind: Literal["audio", "video"]) -> tuple[MediaStreamTrack, Callable[[Frame], None]]:
    source = Given()
    return MediaStreamTrack(kind, source=source), source.deliver


async def slowly(recorder: FileSink, clock: Clock, steps: Iterable[tuple[float, Callable[[], object]]]) -> None:
    """Do each at its time, and wait until it is decoded and written: nothing is dropped, however slow the machine."""
    begin_s = clock.now
    for at_s, do in sorted(steps, key=lambda one: one[0]):
        clock.now = begin_s + at_s
        do()
        decodings = [getattr(lane.track._source, "decoding", None) for lane in recorder._lanes]
        works = [one._work for one in decodings if one is not None]
        while len(recorder._backlog) or any(work._is_running for work in works):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("suffix", "codec"), [("webm", "vp8"), ("mp4", "h264")])
async def test_raw_tracks_are_encoded(tmp_path: Path, suffix: str, codec: str) -> None:
    path, clock = tmp_path / f"own.{suffix}", Clock()
    (audio, hear), (video, see) = given("audio"), given("video")
    recorder = FileSink(path, clock=clock)
    recorder.add_track(audio)
    recorder.add_track(video)
    recorder.start()
    wave_ = tone(2, 44100)
    steps: list[tuple[float, Callable[[], object]]] = [
        (piece.time_s, partial(hear, piece)) for piece in pieces(wave_, 44100, 441)
    ]
    steps += [(i / 30, partial(see, picture(i, 160, 120))) for i in range(60)]
    await slowly(recorder, clock, steps)
    await recorder.stop()
    assert recorder.dropped == 0
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.name == codec
        assert file.streams.audio[0].codec_context.name == "opus"
    assert [float(one.time) for one in pictures(path)] == pytest.approx([i / 30 for i in range(60)], abs=0.02)
    found = samples(path)
    assert len(found) / 48000 == pytest.approx(2, abs=0.06)
    assert correlation(tone(2, 48000)[24000:72000], found[24000:72000], 2000) > 0.98


@pytest.mark.parametrize("codec", ["opus", "pcmu"])
async def test_a_wav_holds_decoded_sound_and_what_was_lost_is_made_up(tmp_path: Path, codec: str) -> None:
    path, clock, track = tmp_path / "call.wav", Clock(), EncodedTrack("audio")
    heard = sound(codec, start=4_000_000_000)
    del heard[50:52]
    heard[50] = replace(heard[50], lost_before=2)
    async with FileSink(path, clock=clock) as recorder:
        recorder.add_track(track)
        recorder.start()
        await slowly(
            recorder,
            clock,
            [((one.timestamp - heard[0].timestamp) / CLOCKS[codec], partial(track.write, one)) for one in heard],
        )
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert rate == CLOCKS[codec]
        found = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert len(found) / rate == pytest.approx(2, abs=0.021)
    assert correlation(tone(2, rate)[rate // 2 :], found[rate // 2 :], rate // 50) > 0.95
    assert recorder.duration_s == pytest.approx(2, abs=0.021)


async def test_a_pause_is_silence_in_a_wav(tmp_path: Path) -> None:
    track, hear = given("audio")
    clock = Clock()
    async with FileSink(tmp_path / "own.wav", clock=clock) as recorder:
        recorder.add_track(track)
        recorder.start()
        hear(AudioFrame(tone(0.5, 16000, channels=2), 16000, 320))
        clock.now += 3
        hear(AudioFrame(tone(0.5, 16000, channels=2), 16000, 320 + 3 * 16000))
    with wave.open(str(tmp_path / "own.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 16000, 3 * 16000 + 8000)
        found = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert not found[8000 : 3 * 16000].any()
    assert found[3 * 16000 :].any()


async def test_what_the_file_does_not_take_is_encoded_anew(tmp_path: Path) -> None:
    path, clock, track = tmp_path / "call.webm", Clock(), EncodedTrack("video")
    async with FileSink(path, clock=clock) as recorder:
        recorder.add_track(track)
        recorder.start()
        await slowly(recorder, clock, [(i / 30, partial(track.write, one)) for i, one in enumerate(film("h264"))])
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.name == "vp8"
    assert len(pictures(path)) == 60


async def test_another_codec_in_the_middle_is_encoded_as_the_first(tmp_path: Path) -> None:
    path, clock, track = tmp_path / "call.webm", Clock(), EncodedTrack("video")
    frames = film("vp8", 1) + film("vp9", 1, start=90000) + film("vp8", 1, start=180000)
    async with FileSink(path, clock=clock) as recorder:
        recorder.add_track(track)
        recorder.start()
        await slowly(recorder, clock, [(one.timestamp / 90000, partial(track.write, one)) for one in frames])
    assert len(pictures(path)) == pytest.approx(90, abs=3)
    found = [data for _, data, _ in packets(path, "video")]
    assert found[:30] == datas(frames[:30])
    assert found[-30:] == datas(frames[60:])


# Faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["webm", "mkv", "mp4", "ogg"])
async def test_what_a_killed_process_leaves_can_be_played(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call.{suffix}"
    program = f"""
import os, sys
sys.path[:0] = {[*sys.path]!r}
from pathlib import Path
from media.test_sinks import *
clock, audio, video = Clock(), EncodedTrack("audio"), EncodedTrack("video")
recorder = FileSink({str(path)!r}, clock=clock)
recorder.add_track(audio)
streams = [(audio, sound(duration_s=6), 0.0)]
if {suffix!r} != "ogg":
    recorder.add_track(video)
    streams.append((video, film("h264" if {suffix!r} == "mp4" else "vp8", 6, keys=range(30, 180, 30)), 0.0))
recorder.start()
arrive(clock, *streams)
import time
until = time.monotonic() + 20
while recorder.duration_s < 5.9 and time.monotonic() < until:
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert run.returncode == -9, run.stderr
    assert packets(path, "audio")[-1][0] > 3.5
    if suffix != "ogg":
        assert float(pictures(path)[-1].time) > 3.5


async def test_a_file_that_was_cut_off_anywhere_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "call.webm"
    await recorded(path, (EncodedTrack("audio"), sound(), 0.0), (EncodedTrack("video"), film(), 0.0))
    whole = path.read_bytes()
    for share in (0.3, 0.5, 0.77, 0.95):
        with av.open(io.BytesIO(whole[: int(len(whole) * share)]), "r") as file:
            count = len([packet for packet in file.demux(video=0) if packet.size])
        assert 60 * (share - 0.25) < count <= 60


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("format", ["webm", "wav", "mp4"])
async def test_a_full_disk_ends_the_recording_and_nothing_else(format: str) -> None:
    clock, track = Clock(), EncodedTrack("audio")
    told: list[object] = []
    recorder = FileSink("/dev/full", format=format, clock=clock)
    recorder.onerror = told.append
    recorder.add_track(track)
    recorder.start()
    for frame in sound():
        clock.now += 0.02
        track.write(frame)
        await asyncio.sleep(0.002)  # the writer keeps up, so that nothing is dropped
    with pytest.raises(QuotaExceededError, match="full") as raised:
        await recorder.stop()
    assert raised.value.hint
    assert isinstance(raised.value.__cause__, OSError)
    with pytest.raises(QuotaExceededError):
        await recorder.stop()
    await asyncio.sleep(0)
    assert told == [recorder.error]
    assert track.readyState == "live"
    assert not track._sinks


@pytest.mark.parametrize("suffix", ["webm", "mp4", "wav", "ogg"])
async def test_what_was_written_before_the_disk_was_full_can_be_played(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call.{suffix}"
    program = f"""
import resource, signal, sys
sys.path[:0] = {[*sys.path]!r}
from media.test_sinks import *
async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = 400_000 if {suffix!r} == "wav" else 40_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    clock, (track, hear) = Clock(), given("audio")
    recorder = FileSink({str(path)!r}, clock=clock)
    recorder.add_track(track)
    recorder.start()
    for piece in pieces(tone(20, 48000), 48000, 960):
        clock.now += 0.02
        hear(piece)
        await asyncio.sleep(0.0005)  # as above
    try:
        await recorder.stop()
    except QuotaExceededError as error:
        print(error.name, recorder.bytes_written == Path({str(path)!r}).stat().st_size)
asyncio.run(main())
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert run.stdout.strip() == "QuotaExceededError True", run.stderr
    assert len(samples(path)) / 48000 > 1.5


def test_a_path_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    track = EncodedTrack("audio")

    def start(path: Path) -> None:
        recorder = FileSink(path)
        recorder.add_track(track)
        recorder.start()

    with pytest.raises(NotFoundError, match=r"call\.webm") as raised:
        start(tmp_path / "nowhere" / "call.webm")
    assert raised.value.hint
    if os.geteuid() != 0:
        os.chmod(tmp_path, 0o500)
        with pytest.raises(NotAllowedError):
            start(tmp_path / "call.webm")
    assert not track._sinks


@pytest.mark.parametrize("name", ["call.avi", "call", "call.mp3"])
def test_an_unknown_suffix_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(NotSupportedError, match="cannot be recorded") as raised:
        FileSink(name)
    assert ".webm" in str(raised.value.hint)


def test_tracks_that_a_file_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match="no pictures"):
        FileSink(tmp_path / "call.ogg").add_track(EncodedTrack("video"))
    recorder = FileSink(tmp_path / "call.wav")
    recorder.add_track(EncodedTrack("audio"))
    with pytest.raises(NotSupportedError, match="one track"):
        recorder.add_track(EncodedTrack("audio"))


async def test_a_recording_starts_once_with_a_track_and_stops_any_number_of_times(tmp_path: Path) -> None:
    recorder = FileSink(tmp_path / "call.webm")
    with pytest.raises(InvalidStateError):
        recorder.start()
    await recorder.stop()
    track = EncodedTrack("audio")
    recorder.add_track(track)
    recorder.add_track(track)
    recorder.start()
    with pytest.raises(InvalidStateError):
        recorder.start()
    with pytest.raises(InvalidStateError):
        recorder.add_track(EncodedTrack("video"))
    assert recorder.is_recording
    track.write(sound(duration_s=0.5))
    await asyncio.gather(recorder.stop(), recorder.stop())
    await recorder.stop()
    assert not recorder.is_recording
    assert not track._sinks
    assert len(packets(tmp_path / "call.webm", "audio")) == 25


async def test_a_recording_of_nothing_ends_without_an_error(tmp_path: Path) -> None:
    for suffix in ("webm", "mp4", "ogg", "wav"):
        await recorded(tmp_path / f"call.{suffix}", (EncodedTrack("audio"), [], 0.0))
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getnframes() == 0


def test_a_slow_disk_drops_the_oldest_frames_and_pictures_up_to_the_next_key_frame() -> None:
    backlog, lane = Backlog(), Lane(EncodedTrack("video"), container_for(Path("a.webm"), None), Backlog(), Clock())
    frames = [EncodedFrame(b"x", index, "vp8", is_key=index % 100 == 0) for index in range(350)]
    asked = [backlog.push(Arrival(lane, frame, 0.0)) for frame in frames]
    backlog.close()
    left = []
    while (arrival := backlog.take()) is not None:
        left.append(arrival.frame)
    assert left == frames[100:]
    assert backlog.dropped == 100
    assert asked.count(True) == 1
    assert not backlog.push(Arrival(lane, frames[0], 0.0))


# Time --------------------------------------------------------------------------------------------------


def test_timestamps_decide_and_the_jitter_of_arrivals_does_not() -> None:
    timeline, chance = Timeline(100.0), random.Random(1)
    placed = [timeline.place(5000 + 0.02 * i, 100.5 + 0.02 * i + chance.random() * 0.03) for i in range(1000)]
    steps = np.diff(placed)
    assert steps == pytest.approx(np.full(999, 0.02), abs=1e-9)
    assert placed[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("drift", [0.001, -0.001])
def test_a_clock_that_drifts_is_led_back_slowly(drift: float) -> None:
    timeline = Timeline(0.0)
    placed = [timeline.place(0.02 * i * (1 + drift), 0.02 * i) for i in range(10_000)]
    assert placed[-1] == pytest.approx(9999 * 0.02, abs=0.06)
    assert np.abs(np.diff(placed) - 0.02).max() < 0.02 * 0.025


def test_a_first_frame_that_was_late_delays_the_others_for_some_seconds_only() -> None:
    timeline = Timeline(0.0)
    placed = [timeline.place(0.02 * i, max(0.02 * i, 0.3)) for i in range(2000)]
    assert placed[0] == pytest.approx(0.3)
    assert placed[-1] == pytest.approx(1999 * 0.02, abs=0.04)


def test_a_burst_after_a_stall_moves_nothing_and_a_sender_that_stopped_its_clock_does() -> None:
    timeline = Timeline(0.0)
    burst = [timeline.place(0.02 * i, 0.02 * i if not 100 <= i < 300 else 6.0) for i in range(1000)]
    assert burst == pytest.approx([0.02 * i for i in range(1000)])
    timeline = Timeline(0.0)
    stopped = [timeline.place(0.02 * i, 0.02 * i + (5.0 if i >= 200 else 0.0)) for i in range(1000)]
    assert stopped[-1] == pytest.approx(999 * 0.02 + 5, abs=0.05)


# Playing out -------------------------------------------------------------------------------------------

RATE = 48000


def steadily(playout: Playout, seconds: float, *, start: int = 0, loud: bool = True) -> tuple[int, NDArray[np.int16]]:
    """20 ms in, twice 10 ms out, for so long."""
    count = round(seconds * 50)
    wave_ = tone(0.02 * count, RATE, hertz=250) if loud else np.zeros((960 * count, 1), np.int16)
    out = []
    for index in range(count):
        playout.push(AudioFrame(wave_[960 * index : 960 * (index + 1)], RATE, start + 960 * index))
        out += [playout.pull(480), playout.pull(480)]
    return start + 960 * count, np.concatenate(out)


def test_sound_plays_after_the_target_delay_as_it_came() -> None:
    playout = Playout(RATE)
    _, out = steadily(playout, 2)
    began = int(np.flatnonzero(out)[0])
    assert began / RATE == pytest.approx(0.02, abs=0.021)
    assert correlation(tone(2, RATE, hertz=250)[: RATE // 2], out[began - 1 :], 400) > 0.999
    assert playout.underruns == 0
    assert playout.delay_s <= 0.04


def test_nothing_is_silence() -> None:
    playout = Playout(RATE, 2)
    assert playout.pull(480).shape == (480, 2)
    assert not playout.pull(480).any()


def test_an_empty_buffer_goes_on_with_what_was_heard_and_falls_silent() -> None:
    playout = Playout(RATE)
    steadily(playout, 1)
    while playout.delay_s > 0:
        playout.pull(480)
    assert np.abs(playout.pull(480)).max() > 1000
    for _ in range(10):
        last = playout.pull(480)
    assert not last.any()


def test_late_frames_let_the_target_grow_and_calm_lets_it_shrink() -> None:
    playout = Playout(RATE)
    at = 0
    for _ in range(3):
        at, _ = steadily(playout, 1, start=at)
        for _ in range(8):
            playout.pull(480)
    at, _ = steadily(playout, 1, start=at)
    assert playout.underruns == 3
    assert playout.target_s == pytest.approx(0.1)
    steadily(playout, 70, start=at)
    assert playout.target_s == pytest.approx(0.04)
    assert playout.delay_s <= 0.08


def test_a_pause_of_the_sender_is_no_reason_to_wait_longer() -> None:
    playout = Playout(RATE)
    at, _ = steadily(playout, 1)
    for _ in range(50):
        playout.pull(480)
    steadily(playout, 1, start=at + 24000)
    assert playout.underruns == 0
    assert playout.target_s == pytest.approx(0.04)


@pytest.mark.parametrize("loud", [True, False])
def test_a_burst_does_not_delay_for_good(loud: bool) -> None:
    playout = Playout(RATE)
    at, _ = steadily(playout, 1, loud=loud)
    for _ in range(10):  # 200 ms too much
        playout.push(AudioFrame(tone(0.02, RATE, hertz=250) if loud else np.zeros((960, 1), np.int16), RATE, at))
        at += 960
    assert playout.delay_s > 0.2
    _, out = steadily(playout, 8, start=at, loud=loud)
    assert playout.delay_s < (0.14 if loud else 0.08)
    if loud:
        assert np.abs(np.diff(out.astype(int), axis=0)).max() < 700, "no click"


def test_the_buffer_is_bounded() -> None:
    playout = Playout(RATE, most_ms=300)
    for index in range(100):
        playout.push(AudioFrame.silence(960, timestamp=960 * index))
    assert playout.delay_s == pytest.approx(0.3)
    assert playout.dropped_s == pytest.approx(1.7)


def test_other_rates_and_channels_are_fitted_to_the_device() -> None:
    playout, out = Playout(RATE, 2), []
    for piece in pieces(tone(1, 16000), 16000, 320):
        playout.push(piece)
        out += [playout.pull(480), playout.pull(480)]
    found = np.concatenate(out)
    assert found.shape == (RATE, 2)
    assert (found[:, 0] == found[:, 1]).all()
    assert correlation(tone(1, RATE)[: RATE // 2], found[:, 0], 3000) > 0.98


@pytest.mark.parametrize("options", [{"rate": 0}, {"channels": 3}, {"target_ms": 0}, {"target_ms": 900}])
def test_an_impossible_playout_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(RangeError):
        Playout(**{"rate": RATE, **options})


class Device:
    """As much of sounddevice as a speaker needs."""

    class PortAudioError(Exception):
        pass

    def __init__(self, *, is_broken: bool = False) -> None:
        self.is_broken = is_broken
        self.is_open = False
        self.options: dict[str, Any] = {}

    def OutputStream(self, **options: Any) -> Device:
        if self.is_broken:
            raise self.PortAudioError("no such device")
        self.options = options
        return self

    def start(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def play(self, count: int) -> NDArray[np.int16]:
        out = np.ones((count, self.options["channels"]), np.int16)
        self.options["callback"](out, count, None, None)
        return out


def test_a_speaker_mixes_its_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    (one, say), (other, sing) = given("audio"), given("audio")
    with Speaker() as speaker:
        assert not device.play(480).any()
        speaker.add_track(one)
        speaker.add_track(other)
        speaker.add_track(other)
        for index in range(3):
            say(AudioFrame(np.full((960, 1), 20000, np.int16), RATE, 960 * index))
            sing(AudioFrame(np.full((960, 1), 5000 * (1 + index), np.int16), RATE, 960 * index))
        assert device.play(960)[500].tolist() == [25000, 25000]
        device.play(960)
        assert device.play(960)[500].tolist() == [32767, 32767]
        speaker.remove_track(other)
        assert not other._sinks
        assert speaker.is_playing
    assert not device.is_open
    assert not one._sinks
    speaker.stop()


def test_a_speaker_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NotSupportedError) as raised:
        Speaker()
    assert "peerline[media]" in str(raised.value.hint)
    monkeypatch.setitem(sys.modules, "sounddevice", Device(is_broken=True))
    with pytest.raises(NotReadableError, match="no such device"):
        Speaker().start()
    with pytest.raises(NotSupportedError, match="plays sound"):
        Speaker().add_track(EncodedTrack("video"))


# Nothing -----------------------------------------------------------------------------------------------


def test_a_null_sink_counts() -> None:
    track, sink = EncodedTrack("audio"), NullSink()
    track.attach_sink(sink)
    frames = sound(duration_s=0.2)
    track.write([*frames[:5], replace(frames[7], lost_before=2)])
    assert (sink.frames, sink.key_frames, sink.lost) == (6, 6, 2)
    assert sink.bytes == sum(len(data) for data in datas([*frames[:5], frames[7]]))
    assert not sink.is_ended
    track.stop()
    assert sink.is_ended


@pytest.mark.parametrize("missing", ["av", "numpy"])
def test_sinks_are_imported_without_the_extra_and_say_so_when_they_are_made(missing: str) -> None:
    program = f"""
import sys
sys.path[:0] = {[*sys.path]!r}
sys.modules[{missing!r}] = None
sys.modules["sounddevice"] = None
from peerline.errors import NotSupportedError
from peerline.media.sinks import FileSink, NullSink, Playout, Speaker
NullSink()
for make in (lambda: FileSink("call.webm"), Speaker):
    try:
        make()
    except NotSupportedError as error:
        print(error.hint)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ['pip install "peerline[media]"'] * 2
