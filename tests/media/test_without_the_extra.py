"""Without PyAV or numpy Peerline works, and asking for a codec says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import sys
sys.modules[{missing!r}] = None
import peerline, peerline.media
from peerline.errors import NotSupportedError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs import decoder_for, encoder_for
from peerline.media.video_frame import VideoFrame
for ask in ({asks}):
    try:
        ask()
    except NotSupportedError as error:
        assert error.hint == 'pip install "peerline[media]"', error.hint
    else:
        raise SystemExit("nothing was missed")
"""


@pytest.mark.parametrize(
    ("missing", "asks"),
    [
        ("av", "lambda: encoder_for('vp8'), lambda: decoder_for('h264'), lambda: VideoFrame.black(2, 2)"),
        ("numpy", "lambda: encoder_for('opus'), lambda: decoder_for('pcmu'), lambda: AudioFrame.silence(960)"),
    ],
)
def test_what_needs_the_extra_says_so(missing: str, asks: str) -> None:
    subprocess.run([sys.executable, "-c", ASK.format(missing=missing, asks=asks)], check=True)


def test_importing_loads_neither_pyav_nor_numpy() -> None:
    ask = "import sys, peerline.media.codecs as _; raise SystemExit(bool({'av', 'numpy'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", ask], check=True)
