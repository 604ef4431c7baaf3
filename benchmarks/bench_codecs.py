"""What encoders make of a new bitrate, and what encoding and decoding costs (docs/decisions/0009).

    python benchmarks/bench_codecs.py [--seconds 10] [--runs 3] [--only follow,pictures,sound] [--json]

follow: 640x480, told 1000, then 300 kbit/s, and back. "wrapped" is FFmpeg's own wrapper, as it is in PyAV.
pictures: five bitrates between 55 and 100 % of the first; "told" is libvpx itself, "opened anew" FFmpeg's wrapper.
sound: frames of 20 ms. CPU is that of this process; medians of the runs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs import AudioSettings, VideoSettings, decoder_for, encoder_for
from peerline.media.codecs.av1 import Av1Encoder
from peerline.media.codecs.h264 import H264Encoder
from peerline.media.codecs.vpx import FfmpegVp8Encoder, FfmpegVp9Encoder, Vp8Encoder, Vp9Encoder
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.video_frame import VideoFrame

RATE = 30
SIZES = {(640, 480): 1_000_000, (1280, 720): 2_500_000}
SHARES = (1.0, 0.55, 0.8, 0.6, 0.9)
ENCODERS: dict[str, Callable[[VideoSettings], Any]] = {
    "vp8, told": Vp8Encoder,
    "vp8, opened anew": FfmpegVp8Encoder,
    "vp9, told": Vp9Encoder,
    "vp9, opened anew": FfmpegVp9Encoder,
    "h264": H264Encoder,
    "av1": Av1Encoder,
}
WRAPPED: dict[str, tuple[str, dict[str, str]]] = {
    "vp8, wrapped": ("libvpx", {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}),
    "vp9, wrapped": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "h264, wrapped": ("libx264", {"preset": "ultrafast", "tune": "zerolatency"}),
    "opus, wrapped": ("libopus", {"application": "voip"}),
}
Row = dict[str, float]


def pictures(width: int, height: int) -> list[VideoFrame]:
    """Waves and a card that move, and a little noise; two seconds of them."""
    y, x = np.mgrid[0:height, 0:width]
    made = []
    for index in range(2 * RATE):
        noise = np.random.default_rng(index).normal(0, 2, (height, width, 1))
        red = 128 + 80 * np.sin((x + 3 * index) / 37) * np.cos(y / 23)
        green = 128 + 70 * np.cos((x - y + 2 * index) / 51)
        pixels = np.stack([red, green, 60 + 120 * x / width], axis=-1)
        across = int(width * (0.5 + 0.3 * math.sin(index / 15)))
        pixels[height // 3 : height // 2, across - width // 10 : across + width // 10] = (230, 40, 60)
        array = np.clip(pixels + noise, 0, 255).astype(np.uint8)
        frame = VideoFrame.from_ndarray(array)
        made.append(VideoFrame(frame.to_i420()))
    return made


def endless(made: list[VideoFrame]) -> Iterator[VideoFrame]:
    """Forth and back, with times that go on."""
    index = 0
    while True:
        turn, place = divmod(index, len(made))
        picture = made[place if turn % 2 == 0 else -1 - place]
        yield VideoFrame(picture.to_av(), time_s=index / RATE)
        index += 1


# A new bitrate ------------------------------------------------------------------------------------------


def follow_directly(make: Callable[[VideoSettings], Any]) -> list[float]:
    encoder = make(VideoSettings(bitrate_bps=1_000_000, frame_rate=RATE))
    source = endless(pictures(640, 480))

    def second(bitrate_bps: int) -> float:
        encoder.set_bitrate(bitrate_bps)
        return sum(len(one.data) for _ in range(RATE) for one in encoder.encode(next(source))) * 8 / 1000

    made = [second(bps) for bps in (*[1_000_000] * 3, *[300_000] * 4, *[1_000_000] * 4)]
    encoder.close()
    return made


def follow_wrapped(name: str, options: dict[str, str]) -> list[float]:
    context: Any = av.CodecContext.create(name, "w")
    context.options = options
    is_sound = name == "libopus"
    first, then = (64_000, 16_000) if is_sound else (1_000_000, 300_000)
    if is_sound:
        context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
        frames: Iterator[Any] = sounds()
        count = 50
    else:
        context.width, context.height, context.pix_fmt = 640, 480, "yuv420p"
        context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
        frames, count = (one.to_av() for one in endless(pictures(640, 480))), RATE
    context.bit_rate = first
    numbers = iter(range(10**6))

    def second(bitrate_bps: int) -> float:
        context.bit_rate = bitrate_bps
        size = 0
        for _ in range(count):
            frame = next(frames)
            frame.pts = next(numbers) * (960 if is_sound else 1)
            frame.time_base = Fraction(1, 48_000 if is_sound else RATE)
            size += sum(packet.size for packet in context.encode(frame))
        return size * 8 / 1000

    return [second(bps) for bps in (*[first] * 3, *[then] * 4, *[first] * 4)]


def sounds() -> Iterator[Any]:
    index = 0
    while True:
        frame = av.AudioFrame.from_ndarray(voice(index).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        yield frame
        index += 1


def follow() -> dict[str, Row]:
    """kbit/s before, in the first, second and fourth second after the fall, in the first and fourth after the rise."""
    table: dict[str, Row] = {}
    rows = {name: follow_wrapped(*how) for name, how in WRAPPED.items()}
    rows |= {name: follow_directly(make) for name, make in ENCODERS.items() if "anew" not in name}
    for name, made in rows.items():
        labels = {"before": 2, "fell 1st": 3, "fell 2nd": 4, "fell 4th": 6, "rose 1st": 7, "rose 4th": 10}
        table[name] = {label: made[place] for label, place in labels.items()}
    return table


# What pictures cost -------------------------------------------------------------------------------------


def psnr(one: Any, other: Any) -> float:
    error = np.square(one.astype(np.float32) - other).mean()
    return float("inf") if error == 0 else 10 * math.log10(255**2 / error)


def cost(make: Callable[[VideoSettings], Any], size: tuple[int, int], seconds: float) -> Row:
    bitrate_bps = SIZES[size]
    encoder = make(VideoSettings(bitrate_bps=bitrate_bps, frame_rate=RATE))
    source = endless(pictures(*size))
    cpu: list[float] = []
    key_cpu: list[float] = []
    key_sizes: list[int] = []
    kept: list[tuple[EncodedFrame, VideoFrame]] = []
    count = int(seconds * RATE)
    for index in range(count):
        if index % (count // len(SHARES)) == 0:
            encoder.set_bitrate(int(bitrate_bps * SHARES[min(index * len(SHARES) // count, len(SHARES) - 1)]))
        picture = next(source)
        begin = time.process_time()
        encoded = encoder.encode(picture)
        took = time.process_time() - begin
        cpu.append(took)
        for one in encoded:
            kept.append((one, picture))
            if one.is_key:
                key_cpu.append(took)
                key_sizes.append(len(one.data))
    encoder.close()
    decoder = decoder_for(kept[0][0].codec)
    begin, quality = time.process_time(), []
    decoded = [decoder.decode(one) for one, _ in kept]
    decoding = time.process_time() - begin
    for (_, picture), (shown, *_) in zip(kept, (one for one in decoded if one), strict=False):
        quality.append(psnr(picture.to_ndarray("yuv420p")[: size[1]], shown.to_ndarray("yuv420p")[: size[1]]))
    decoder.close()
    return {
        "ms a frame": statistics.mean(cpu) * 1000,
        "ms a key frame": statistics.mean(key_cpu) * 1000,
        "key frames": len(key_sizes),
        "KB each": statistics.mean(key_sizes) / 1000,
        "PSNR": statistics.mean(quality),
        "worst": min(quality),
        "ms decoding": decoding / len(kept) * 1000,
    }


# What sound costs ---------------------------------------------------------------------------------------


def voice(index: int) -> Any:
    at = (np.arange(960) + index * 960) / 48_000
    phase = 2 * np.pi * (140 * at + 8 * np.sin(2 * np.pi * 0.7 * at))
    wave = sum(4000 / n * np.sin(n * phase) for n in range(1, 9))
    return (wave + np.random.default_rng(index).normal(0, 250, 960)).astype(np.int16)


def sound(codec: str, seconds: float) -> Row:
    """Microseconds of CPU for 20 ms."""
    count = int(seconds * 50)
    given = [AudioFrame(voice(index).reshape(-1, 1), 48_000, index * 960) for index in range(count)]
    encoder, decoder = encoder_for(codec, AudioSettings()), decoder_for(codec)
    begin = time.process_time()
    encoded = [one for frame in given for one in encoder.encode(frame)]
    encoding = time.process_time() - begin
    begin = time.process_time()
    decoded = [frame for one in encoded for frame in decoder.decode(one)]
    decoding = time.process_time() - begin
    begin = time.process_time()
    for _ in range(count):
        decoder.conceal(decoded[-1].count)
    concealing = time.process_time() - begin
    each = 1e6 / count
    return {"us encoding": encoding * each, "us decoding": decoding * each, "us concealing": concealing * each}


def median(run: Callable[[], Row], runs: int) -> Row:
    rows = [run() for _ in range(runs)]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--only", default="follow,pictures,sound")
    p.add_argument("--json", action="store_true")
    options = p.parse_args()
    tables: dict[str, dict[str, Row]] = {}
    if "follow" in options.only:
        tables["follow, kbit/s"] = follow()
    if "pictures" in options.only:
        tables["pictures"] = {
            f"{name} {size[0]}x{size[1]}": median(lambda m=make, s=size: cost(m, s, options.seconds), options.runs)  # type: ignore[misc]
            for size in SIZES
            for name, make in ENCODERS.items()
        }
    if "sound" in options.only:
        tables["sound"] = {
            codec: median(lambda c=codec: sound(c, options.seconds), options.runs)  # type: ignore[misc]
            for codec in ("opus", "g722", "pcmu")
        }
    if options.json:
        print(json.dumps({"settings": dataclasses.asdict(VideoSettings()), "tables": tables}))
        return
    for title, table in tables.items():
        print(title)
        for name, row in table.items():
            print(f"  {name:28}" + "".join(f"  {label} {value:8.4g}" for label, value in row.items()))


if __name__ == "__main__":
    main()
