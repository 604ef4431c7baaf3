"""The descriptions of tests/data/sdp, and a small one to change."""

from __future__ import annotations

from pathlib import Path

from peerline.sdp import Description, parse

FOLDER = Path(__file__).parents[1] / "data" / "sdp"
CAPTURES = sorted(FOLDER.glob("*/*.sdp"))

SMALL = (
    "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\ni=a picture\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendrecv\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n"
)


def capture(name: str) -> Description:
    """For example `chromium/data-offer`."""
    return parse((FOLDER / f"{name}.sdp").read_bytes())
