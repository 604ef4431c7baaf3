"""Frames of sound and pictures, outside of any codec."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest

pytest.importorskip("av", reason="frames need PyAV: pip install 'peerline[media]'")

import av
import numpy as np

from media.material import pixels, psnr
from peerline.errors import RangeError
from peerline.media.audio_frame import AudioFrame
from peerline.media.video_frame import VideoFrame


def test_silence_lasts_as_long_as_it_was_asked_for() -> None:
    silence = AudioFrame.silence(480, rate=16000, channels=2, timestamp=1600)
    assert silence.samples.shape == (480, 2)
    assert not silence.samples.any()
    assert (silence.count, silence.channels, silence.duration_s, silence.time_s) == (480, 2, 0.03, 0.1)


def test_mono_is_the_mean_of_the_channels_and_does_not_overflow() -> None:
    stereo = AudioFrame(np.array([[100, 300], [32767, 32767], [-32768, -32768]], np.int16), 48000, 7)
    mono = stereo.to_mono()
    assert mono.samples.tolist() == [[200], [32767], [-32768]]
    assert (mono.rate, mono.timestamp) == (48000, 7)
    assert mono.to_mono() is mono


def test_more_channels_repeat_the_last_and_fewer_are_the_first() -> None:
    mono = AudioFrame(np.array([[5], [6]], np.int16), 8000)
    assert mono.with_channels(2).samples.tolist() == [[5, 5], [6, 6]]
    surround = AudioFrame(np.array([[1, 2, 3, 4]], np.int16), 8000)
    assert surround.with_channels(2).samples.tolist() == [[1, 2]]


@pytest.mark.parametrize("samples", [np.zeros(960, np.int16), np.zeros((960, 1), np.float32)])
def test_samples_of_another_shape_or_type_are_refused(samples: Any) -> None:
    with pytest.raises(TypeError, match="count, channels"):
        AudioFrame(samples, 48000)


def test_sound_needs_a_rate_and_a_channel() -> None:
    with pytest.raises(RangeError):
        AudioFrame(np.zeros((960, 1), np.int16), 0)
    with pytest.raises(RangeError):
        AudioFrame(np.zeros((960, 0), np.int16), 48000)


@pytest.mark.parametrize("format", ["rgb24", "bgr24"])
@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 17), (1, 1)])
def test_an_array_of_colours_comes_back_as_it_was(format: Any, width: int, height: int) -> None:
    array = pixels(1, width, height)
    frame = VideoFrame.from_ndarray(array, format, time_s=1.5)
    assert (frame.width, frame.height, frame.time_s, frame.rotation) == (width, height, 1.5, 0)
    assert np.array_equal(frame.to_ndarray(format), array)


def test_formats_are_converted_into_each_other() -> None:
    frame = VideoFrame.from_ndarray(pixels(1, 64, 48), "rgb24")
    assert np.array_equal(frame.to_ndarray("bgr24"), pixels(1, 64, 48)[:, :, ::-1])
    assert frame.to_ndarray("gray").shape == (48, 64)
    planes = frame.to_ndarray("yuv420p")
    assert planes.shape == (72, 64)
    assert psnr(VideoFrame.from_ndarray(planes, "yuv420p"), frame) > 40


def test_gray_arrays_are_pictures_too() -> None:
    array = pixels(1, 31, 20)[:, :, 0].copy()
    assert np.array_equal(VideoFrame.from_ndarray(array, "gray").to_ndarray("gray"), array)


def test_an_array_is_copied() -> None:
    array = np.zeros((16, 16, 3), np.uint8)
    frame = VideoFrame.from_ndarray(array)
    array[:] = 255
    assert not frame.to_ndarray().any()


@pytest.mark.parametrize(
    ("shape", "format"), [((4, 4), "rgb24"), ((4, 4, 4), "rgb24"), ((4, 4, 3), "gray"), ((6, 4, 1), "yuv420p")]
)
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...], format: Any) -> None:
    with pytest.raises(TypeError, match=format):
        VideoFrame.from_ndarray(np.zeros(shape, np.uint8), format)


def test_arrays_of_another_type_are_refused() -> None:
    array: Any = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(TypeError, match="float32"):
        VideoFrame.from_ndarray(array)


@pytest.mark.parametrize("shape", [(5, 4), (6, 3), (0, 4)])
def test_planes_of_odd_sizes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(RangeError):
        VideoFrame.from_ndarray(np.zeros(shape, np.uint8), "yuv420p")


def test_black_is_black_in_any_size() -> None:
    for width, height in ((1, 1), (33, 17), (640, 480)):
        black = VideoFrame.black(width, height, time_s=2)
        assert black.to_ndarray("rgb24").max() == 0
        assert (black.width, black.height, black.time_s) == (width, height, 2)
    with pytest.raises(RangeError):
        VideoFrame.black(0, 10)


def test_frames_of_pyav_go_in_and_come_out() -> None:
    picture = av.VideoFrame.from_ndarray(pixels(1, 64, 48), format="rgb24")
    picture.pts, picture.time_base = 45000, Fraction(1, 90000)
    frame = VideoFrame.from_av(picture)
    assert frame.time_s == 0.5
    assert frame.to_av() is picture
    assert VideoFrame.from_av(picture, time_s=3).time_s == 3
    assert frame.to_i420().format.name == "yuv420p"
    assert frame.to_i420() is frame.to_i420()


def test_a_picture_is_turned_by_right_angles() -> None:
    assert VideoFrame.from_ndarray(pixels(1, 64, 48), rotation=270).rotation == 270
    with pytest.raises(RangeError):
        VideoFrame.from_ndarray(pixels(1, 64, 48), rotation=45)


def test_a_picture_can_be_scaled_and_converted_on_many_threads_at_once() -> None:
    # In a process of its own: where this goes wrong it hangs or crashes.
    program = """
import threading
import numpy as np
from peerline.media import VideoFrame
frame = VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8))
done = []
def work(height):
    for _ in range(300):
        assert frame.scaled(320, height).height == height
        frame.to_ndarray("gray")
    done.append(height)
threads = [threading.Thread(target=work, args=(height,), daemon=True) for height in (200, 220, 240)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(30)
print(sorted(done))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert run.stdout == "[200, 220, 240]\n", run.stderr
