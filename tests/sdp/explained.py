"""Writes tests/data/sdp/explained.json, to which the page's explanations are held: run it as a program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from peerline.sdp.explain import explain

FOLDER = Path(__file__).parents[1] / "data" / "sdp"
TARGET = FOLDER / "explained.json"
# Lines that no browser writes, among them hostile ones.
ODD = (
    "nonsense", "", "x=1", "a=brand-new:{id} {codec|codec} [[x]]", "a=fmtp:96 {}=1;apt={apt};APT=97",
    "b=AS:many", "b=X-Y:1",
    "m=video 0 UDP/TLS/RTP/SAVPF 96 constructor", "a=rtpmap:96 constructor/90000", "a=rtcp-fb:96 __proto__",
    "a=setup:maybe", "a=ice-options:trickle toString", "a=candidate:1 1 sctp 1 192.0.2.1 9 typ host",
    "a=extmap:1/sendonly toString",
    "a=candidate:1 2 UDP 1 192.0.2.1 9 typ srflx raddr 192.0.2.5 rport 7", "a=rid:q send pt=96;max-width=640",
)  # fmt: skip
SHOWN = ("chromium/simulcast-offer", "firefox/audio-video-data-offer")


def examples() -> list[dict[str, Any]]:
    """Lines, and their explanations in both languages."""
    texts = [(FOLDER / f"{name}.sdp").read_bytes().decode().splitlines() for name in SHOWN] + [list(ODD)]
    return [
        {"line": en.line, "row": en.row, "rfc": en.rfc, "en": en.words, "zh": zh.words}
        for lines in texts
        for en, zh in zip(explain(lines, "en"), explain(lines, "zh"), strict=True)
    ]


def main() -> None:
    """Write the file, or with `--check` say (exit code 1) whether it is out of date."""
    text = json.dumps(examples(), ensure_ascii=False, indent=1) + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(text, "utf-8")
    elif TARGET.read_text("utf-8") != text:
        sys.exit(f"{TARGET} is out of date: PYTHONPATH=tests python tests/sdp/explained.py")


if __name__ == "__main__":
    main()
