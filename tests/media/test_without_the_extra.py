"""Without the extra `peerline[media]`: what needs its libraries says so, and importing loads none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import sys
sys.modules[{missing!r}] = None
from peerline.errors import NotSupportedError
from peerline.media.sources import GeneratedAudio, GeneratedVideo, MediaFile, TestPattern, Tone
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
        ("av", "lambda: MediaFile('a.mp4'), lambda: GeneratedVideo(print)"),
        ("numpy", "TestPattern, Tone, lambda: MediaFile('a.mp4'), lambda: GeneratedAudio(print)"),
    ],
)
def test_sources_that_need_the_extra_say_so(missing: str, asks: str) -> None:
    subprocess.run([sys.executable, "-c", ASK.format(missing=missing, asks=asks)], check=True)


@pytest.mark.parametrize("package", ["codecs", "sources", "sinks"])
def test_importing_loads_none_of_the_libraries(package: str) -> None:
    libraries = "{'av', 'numpy', 'sounddevice'}"
    ask = f"import sys, peerline.media.{package}; raise SystemExit(bool({libraries} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", ask], check=True)
