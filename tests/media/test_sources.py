"""What tracks get their frames from: patterns, tones, functions, files."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest

pytest.importorskip("av", reason="sources need PyAV: pip install 'peerline[media]'")

import numpy as np

from media.files import FRAME_RATE, HEIGHT, WIDTH, write_file
from media.tracks import take, threads, threads_are_gone, until
from peerline.errors import NotFoundError, NotReadableError, NotSupportedError, RangeError
from peerline.media import MediaStreamTrack, Source
from peerline.media.sources import GeneratedAudio, GeneratedVideo, MediaFile, TestPattern, Tone
from peerline.media.sources.painter import Painter
from peerline.media.sources.tone import tone


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """After each test no thread of a source runs."""
    yield
    await threads_are_gone()


async def take_encoded(track: MediaStreamTrack) -> list[Any]:
    async with asyncio.timeout(20):
        return [frame async for frame in track.encoded_frames()]


async def ended(track: MediaStreamTrack) -> None:
    over = asyncio.Event()
    track.onended = lambda event: over.set()
    async with asyncio.timeout(10):
        await over.wait()


def reports() -> list[dict[str, Any]]:
    """What the exception handler of the event loop gets from now on."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
    return found


# Patterns and tones ------------------------------------------------------------------------------------


async def test_a_test_pattern_gives_pictures_of_its_size_at_its_rate() -> None:
    track = MediaStreamTrack("video", source=TestPattern(320, 240, 60))
    frames = await take(track, 30)
    track.stop()
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    steps = [60 * (after.time_s - before.time_s) for before, after in itertools.pairwise(frames)]
    assert steps == pytest.approx([round(step) for step in steps])
    assert min(map(round, steps)) >= 1
    assert median(map(round, steps)) <= 2  # a busy machine leaves some out


@pytest.mark.parametrize("is_noisy", [False, True])
@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 12), (176, 144), (640, 66), (1920, 1080)])
def test_each_picture_of_a_pattern_is_another_and_each_index_has_its_own(
    width: int, height: int, is_noisy: bool
) -> None:
    one, same, other = (Painter(width, height, 30, seed=seed, is_noisy=is_noisy) for seed in (1, 1, 2))
    assert one.paint(7).shape == (height * 3 // 2, width)
    assert np.array_equal(one.paint(7), same.paint(7))
    if width > 2:
        assert not np.array_equal(one.paint(7), one.paint(8))
        assert not np.array_equal(one.paint(7), other.paint(7))


def test_noise_is_new_in_each_picture() -> None:
    noisy = Painter(160, 120, 30, is_noisy=True)
    assert np.mean(noisy.paint(1) != noisy.paint(2)) > 0.8


@pytest.mark.parametrize(("width", "height", "rate"), [(321, 240, 30), (320, 0, 30), (320, 240, 0), (320, 240, -1)])
def test_impossible_patterns_are_refused(width: int, height: int, rate: float) -> None:
    with pytest.raises(RangeError):
        TestPattern(width, height, rate)


async def test_a_tone_gives_sound_without_gaps() -> None:
    track = MediaStreamTrack("audio", source=Tone(440, 16000, 2, frame_ms=10))
    frames = await take(track, 20)
    track.stop()
    assert {(frame.rate, frame.samples.shape) for frame in frames} == {(16000, (160, 2))}
    steps = {after.timestamp - before.timestamp for before, after in itertools.pairwise(frames)}
    assert all(step % 160 == 0 for step in steps)
    assert np.abs(frames[0].samples).max() > 1000


def test_a_tone_beeps_when_a_second_is_full_and_goes_on_without_a_click() -> None:
    second = np.concatenate([tone(start, 480, 441.5).samples for start in range(48000, 96000, 480)])[:, 0].astype(int)
    assert np.array_equal(second, tone(48000, 48000, 441.5).samples[:, 0])
    assert np.abs(second[:4800]).max() == pytest.approx(2 * 3277, rel=0.01)
    assert np.abs(second[4800:]).max() == pytest.approx(3277, rel=0.01)
    calm = tone(48000, 48000, 441.5, has_beep=False).samples
    assert np.abs(calm).max() == pytest.approx(3277, rel=0.01)


def test_pictures_flash_when_tones_beep() -> None:
    painter = Painter(160, 120, 30)
    bright = [painter.paint(index)[5, -5] > 200 for index in range(60)]
    assert bright == ([True] * 3 + [False] * 27) * 2


@pytest.mark.parametrize("wrong", [{"frequency_hz": 0}, {"rate": 1000}, {"channels": 0}, {"frame_ms": 0.001}])
def test_impossible_tones_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RangeError):
        Tone(**wrong)


# While somebody takes frames ---------------------------------------------------------------------------


async def test_no_thread_runs_before_and_after_somebody_takes_frames() -> None:
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 100))
    assert threads() == []
    reader = track.frames()
    assert threads() == ["peerline-test pattern"]
    reader.close()
    await threads_are_gone()
    assert len(await take(track, 3)) == 3
    track.stop()


async def test_a_pause_is_left_out_and_time_goes_on() -> None:
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 100))
    before = (await take(track, 2))[-1]
    await asyncio.sleep(0.5)  # the pause: the clock of a source is that of the machine
    after = (await take(track, 1))[0]
    track.stop()
    assert after.time_s - before.time_s > 0.25


async def test_stopping_ends_the_readers_without_an_event_and_the_thread() -> None:
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 1))
    fired: list[Any] = []
    track.onended = fired.append
    reader = track.frames()
    track.stop()
    assert [frame async for frame in reader] == []
    await threads_are_gone()
    assert fired == []


async def test_a_clone_shares_the_source_and_goes_on_when_the_other_is_stopped() -> None:
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 50))
    clone = track.clone()
    one, other = await asyncio.gather(take(track, 5), take(clone, 5))
    assert {frame.time_s for frame in one} & {frame.time_s for frame in other}
    track.stop()
    assert len(await take(clone, 2)) == 2
    clone.stop()


async def test_a_track_that_is_forgotten_leaves_no_thread() -> None:
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 100))
    reader = track.frames()
    await anext(reader)
    del track, reader
    # The track and its reader know each other, and the thread may have the track in its hands.
    await until(lambda: gc.collect() >= 0 and not threads(), 20)


async def test_a_disabled_track_is_black_or_silent() -> None:
    video = MediaStreamTrack("video", source=TestPattern(64, 48, 50))
    audio = MediaStreamTrack("audio", source=Tone())
    video.enabled = audio.enabled = False
    pictures, sounds = await asyncio.gather(take(video, 2), take(audio, 2))
    assert max(frame.to_ndarray().max() for frame in pictures) == 0
    assert not any(frame.samples.any() for frame in sounds)
    video.enabled = True
    assert (await take(video, 2))[-1].to_ndarray().max() > 0
    video.stop()
    audio.stop()


async def test_one_who_fails_to_take_frames_does_not_end_the_track() -> None:
    class Broken:
        def takes(self, codec: str) -> bool:
            return False

        def receive(self, frame: Any) -> None:
            asked.set()
            raise ValueError("I am broken")

    asked = threading.Event()
    track = MediaStreamTrack("video", source=TestPattern(64, 48, 50))
    broken = Broken()
    track.attach_sink(broken)
    assert await asyncio.to_thread(asked.wait, 20)
    track.detach_sink(broken)
    assert len(await take(track, 2)) == 2
    track.stop()


# Functions ---------------------------------------------------------------------------------------------


def first(count: int, array: Any) -> Callable[[], Any]:
    """A function that gives the array so often, then None."""
    return iter([*[array] * count, None]).__next__


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("video", lambda: GeneratedVideo(first(5, np.full((24, 32, 3), 200, np.uint8)), 100)),
        ("video", lambda: GeneratedVideo(iter([np.zeros((24, 32), np.uint8)] * 5).__next__, 100, format="gray")),
        ("audio", lambda: GeneratedAudio(first(5, np.ones(960, np.int16)))),
        ("audio", lambda: GeneratedAudio(first(5, np.full((80, 2), 0.5, np.float32)), 8000, 10)),
    ],
)
async def test_what_a_function_gives_comes_out_until_it_gives_none(kind: Any, source: Callable[[], Source]) -> None:
    found = reports()
    track = MediaStreamTrack(kind, source=source())
    frames, _ = await asyncio.gather(take(track, 99), ended(track))
    assert len(frames) == 5
    assert track.readyState == "ended"
    assert found == []


async def test_floats_become_samples() -> None:
    array = np.array([0.0, 0.5, -2.0, 1.0] * 40, np.float64)
    track = MediaStreamTrack("audio", source=GeneratedAudio(first(1, array), 8000))
    (frame,) = await take(track, 9)
    assert frame.samples[:4, 0].tolist() == [0, 16384, -32767, 32767]


@pytest.mark.parametrize(
    ("kind", "given", "error"),
    [
        ("video", "a picture", TypeError),
        ("video", np.zeros((4, 4)), TypeError),
        ("video", np.zeros((0, 4, 3), np.uint8), RangeError),
        ("audio", [0] * 960, TypeError),
        ("audio", np.zeros(960, np.int32), TypeError),
        ("audio", np.zeros(959, np.int16), RangeError),
        ("audio", np.full(960, np.nan), RangeError),
        ("audio", np.zeros((960, 2, 2), np.int16), TypeError),
    ],
)
async def test_what_is_no_frame_ends_the_track_with_a_clear_error(kind: Any, given: Any, error: Any) -> None:
    found = reports()
    source = GeneratedVideo(lambda: given) if kind == "video" else GeneratedAudio(lambda: given)
    track = MediaStreamTrack(kind, source=source)
    frames, _ = await asyncio.gather(take(track, 9), ended(track))
    assert frames == []
    (report,) = found
    assert isinstance(report["exception"], error)
    assert "generated" in report["message"]


async def test_a_function_that_fails_ends_the_track_and_is_reported() -> None:
    def fail() -> Any:
        raise ZeroDivisionError("nothing to show")

    found = reports()
    track = MediaStreamTrack("video", source=GeneratedVideo(fail))
    await asyncio.gather(take(track, 1), ended(track))
    assert isinstance(found[0]["exception"], ZeroDivisionError)


@pytest.mark.parametrize("rate", [0, -5, 5000])
def test_impossible_rates_of_a_function_are_refused(rate: float) -> None:
    with pytest.raises(RangeError):
        GeneratedVideo(lambda: None, rate)


def test_sound_comes_in_whole_samples() -> None:
    with pytest.raises(RangeError, match="whole number"):
        GeneratedAudio(lambda: None, 22050, 0.1)


# Files -------------------------------------------------------------------------------------------------

PLAIN = {"bf": "0", "g": "10"}


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("a.mp4", {"video": "libx264", "audio": "aac"}),
        ("a.webm", {"video": "libvpx", "audio": "libopus"}),
        ("a.mkv", {"video": "libx264", "audio": "libmp3lame"}),
    ],
)
async def test_a_file_plays_its_sound_and_pictures_in_sync_and_ends(
    name: str, codecs: dict[str, Any], tmp_path: Path
) -> None:
    file = MediaFile(write_file(tmp_path / name, **codecs))
    assert file.video is not None
    assert file.audio is not None
    assert file.duration_s == pytest.approx(1, abs=0.1)
    ends = asyncio.gather(ended(file.audio), ended(file.video))
    begin = asyncio.get_running_loop().time()
    pictures, sounds = await asyncio.gather(take(file.video, 99), take(file.audio, 99))
    duration_s = asyncio.get_running_loop().time() - begin
    await ends
    assert duration_s > 0.5
    assert [frame.time_s for frame in pictures] == pytest.approx([n / FRAME_RATE for n in range(25)], abs=0.03)
    assert {(frame.width, frame.height) for frame in pictures} == {(WIDTH, HEIGHT)}
    assert [frame.timestamp for frame in sounds] == [960 * index for index in range(len(sounds))]
    assert sounds[-1].time_s + sounds[-1].duration_s == pytest.approx(1, abs=0.1)


async def test_one_track_of_a_file_is_enough_and_the_other_is_not_decoded(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.mp4", duration_s=0.5))
    assert file.video is not None
    assert file.audio is not None
    assert len(await take(file.audio, 99)) >= 25
    assert file.video.readyState == "ended"


async def test_a_file_stands_still_while_nobody_takes_its_frames(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.wav", video=None, audio="pcm_s16le", rate=44100))
    assert file.video is None
    assert file.audio is not None
    before = await take(file.audio, 5)
    await threads_are_gone()
    await asyncio.sleep(0.6)  # the file would have come to its end
    after = await take(file.audio, 5)
    file.stop()
    assert before[0].rate == 44100
    assert 0 < after[0].timestamp - before[-1].timestamp < 44100 / 2


async def test_a_looped_file_begins_again_and_time_goes_on(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.mp4", duration_s=0.2), loop=True)
    assert file.video is not None
    assert file.audio is not None
    pictures, sounds = await asyncio.gather(take(file.video, 15), take(file.audio, 40))
    file.stop()
    for frames in (pictures, sounds):
        times = [frame.time_s for frame in frames]
        assert times == sorted(set(times))
    brightness = [frame.to_ndarray("gray").mean() for frame in pictures[:10]]
    assert brightness[5:] == pytest.approx(brightness[:5], abs=10)


async def test_a_file_without_times_is_played_at_its_rate(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.h264", audio=None, duration_s=0.4, options=PLAIN))
    assert file.video is not None
    times = [frame.time_s for frame in await take(file.video, 99)]
    assert times == pytest.approx([index * times[1] for index in range(10)], abs=0.001)


async def test_stopping_a_file_stops_its_tracks_and_clones(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.mp4"))
    assert file.video is not None
    clone = file.video.clone()
    reader = clone.frames()
    await anext(reader)
    file.stop()
    file.stop()
    assert clone.readyState == "ended"
    assert file._container is None or threads()


async def test_an_untouched_file_is_closed_by_stopping_its_tracks(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.mp4", duration_s=0.2))
    assert file.video is not None
    assert file.audio is not None
    file.video.stop()
    assert file._container is not None
    file.audio.stop()
    assert file._container is None


async def test_a_damaged_file_plays_what_is_left_of_it(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.mkv", audio=None, options=PLAIN)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    file = MediaFile(path)
    assert file.video is not None
    reports()
    frames = await take(file.video, 99)
    assert 5 < len(frames) <= 25


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda folder: folder / "nothing.mp4", NotFoundError),
        (lambda folder: folder, NotReadableError),
        (lambda folder: written(folder / "a.mp4", b"no file of ours" * 100), NotReadableError),
        (lambda folder: written(folder / "empty.webm", b""), NotReadableError),
        (lambda folder: "http://127.0.0.1:1/a.mp4?token=secret", NotReadableError),
    ],
)
async def test_what_cannot_be_read_is_said_at_once(make: Any, error: Any, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        MediaFile(make(tmp_path))
    assert "secret" not in str(caught.value)
    with pytest.raises(error):
        await MediaFile.open(make(tmp_path))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# Files whose packets are passed on ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codecs", "ours"),
    [
        ("a.webm", {"video": "libvpx", "audio": "libopus"}, ("vp8", "opus")),
        ("a9.webm", {"video": "libvpx-vp9", "audio": "libopus"}, ("vp9", "opus")),
        ("a.mp4", {"video": "libx264", "audio": "libopus", "options": PLAIN}, ("h264", "opus")),
        ("a1.mp4", {"video": "libsvtav1", "audio": "libopus"}, ("av1", "opus")),
    ],
)
async def test_packets_pass_through_as_they_are(name: str, codecs: Any, ours: tuple[str, str], tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / name, **codecs), is_encoded=True)
    assert file.video is not None
    assert file.audio is not None
    pictures, sounds = await asyncio.gather(take_encoded(file.video), take_encoded(file.audio))
    assert ({frame.codec for frame in pictures}, {frame.codec for frame in sounds}) == ({ours[0]}, {ours[1]})
    assert pictures[0].is_key
    assert not pictures[1].is_key
    assert [frame.timestamp for frame in pictures] == pytest.approx([3600 * n for n in range(25)], abs=90)
    assert [frame.timestamp for frame in sounds] == [960 * index for index in range(len(sounds))]
    if ours[0] == "h264":
        assert all(frame.data.startswith((b"\0\0\0\1", b"\0\0\1")) for frame in pictures)
        assert sum(frame.is_key for frame in pictures) == 3


async def test_passed_packets_can_be_seen_and_heard_too(tmp_path: Path) -> None:
    file = MediaFile(write_file(tmp_path / "a.mp4", audio="libopus", options=PLAIN), is_encoded=True)
    assert file.video is not None
    assert file.audio is not None
    pictures, sounds = await asyncio.gather(take(file.video, 20), take(file.audio, 20))
    file.stop()
    assert {(frame.width, frame.height) for frame in pictures} == {(WIDTH, HEIGHT)}
    assert max(np.abs(frame.samples).max() for frame in sounds) > 3000


@pytest.mark.parametrize(
    ("codecs", "said"),
    [
        ({"video": None, "audio": "aac"}, "aac"),
        ({"video": "mpeg4", "audio": None}, "mpeg4"),
        ({"video": "libx264", "audio": None, "options": {"bf": "2"}}, "B-frames"),
    ],
)
def test_packets_that_webrtc_does_not_carry_are_refused(codecs: Any, said: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.mp4", **codecs)
    with pytest.raises(NotSupportedError, match=said) as caught:
        MediaFile(path, is_encoded=True)
    assert "is_encoded" in str(caught.value.hint)


async def test_a_live_stream_is_played_as_it_comes(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.ts", audio=None, duration_s=0.8, options=PLAIN)

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(path.read_bytes())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        file = await MediaFile.open(f"tcp://127.0.0.1:{port}", format="mpegts")
        assert file.video is not None
        frames = await take(file.video, 99)
    assert len(frames) >= 15
