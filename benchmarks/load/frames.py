"""One end, or both, of a peer connection with media, for bench_media.py: the same with either implementation.

    python benchmarks/load/frames.py encoded|ear|idle|… --impl peerline|aiortc [--seconds S]

Prints one JSON record. With --far it is the other end, and answers questions.
"""

from __future__ import annotations

import argparse
import asyncio
import json

import uvloop
from cases import ear, encoded, idle, opus, ramp, video

CASES = {
    "encoded": encoded.encoded,
    "ear": ear.ear,
    "ear-loss": ear.ear_loss,
    "ear-single": ear.ear_single,
    "opus": opus.opus,
    "video480": video.video_480,
    "video-loss": video.video_loss,
    "ramp": ramp.ramp,
    "idle": idle.idle,
}
FAR = {"opus": opus.far, "video480": video.far, "video-loss": video.far, "ramp": ramp.far}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("case", choices=CASES)
    p.add_argument("--impl", choices=("peerline", "aiortc"), default="peerline")
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--far", action="store_true")
    options = p.parse_args()
    uvloop.install()
    if options.far:
        asyncio.run(FAR[options.case](options.impl))
    else:
        print(json.dumps(asyncio.run(CASES[options.case](options.impl, options.seconds))))


if __name__ == "__main__":
    main()
