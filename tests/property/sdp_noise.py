"""Descriptions and candidates with something done to them: lines, words, numbers and letters, all from one seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sdp.captures import CAPTURES

__all__ = ["CANDIDATES", "TEXTS", "noisy_candidate", "noisy_description"]

TEXTS = [path.read_bytes().decode() for path in CAPTURES]
_POOL = sorted({line for text in TEXTS for line in text.split("\r\n") if line})
CANDIDATES = [line[2:] for line in _POOL if line.startswith("a=candidate:")]

_NUMBERS = ("0", "-1", "1", "9", "127", "255", "256", "65535", "65536", "4294967296", "1" * 40, "0x1", "1e9", "٣", "")
_LETTERS = (
    "\0",
    "\r",
    "\n",
    "\r\n",
    " ",
    "\t",
    ":",
    "/",
    ";",
    "=",
    ",",
    "é",
    "界",
    "\u2028",
    "\ud800",
    "\U0001f4a9",
    "%",
)
_LINES = (
    "", "=", "a", "a=", "a=:", "m=", "m=audio", "m=video 9 RTP/AVP", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    "a=group:BUNDLE", "a=group:BUNDLE 0 0 0", "a=mid:", "a=mid:0", "a=rid:a send", "a=simulcast:send a;b recv c",
    "a=setup:holdconn", "a=ice-ufrag:x", "a=ice-lite", "a=sctp-port:0", "a=max-message-size:0", "b=AS:0", "b=X-YZ:1",
    "a=fingerprint:sha-1 AB", "a=extmap:15/sendrecv urn:x", "a=ssrc:1 cname:x", "a=msid:- x", "a=rtcp:9", "v=1",
    "a=inactive", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "a=rtpmap:96 VP8/90000", "a=fmtp:96 apt=96",
)  # fmt: skip


def noisy_description(random: Random) -> str:
    """One of the captures, changed in one to six places."""
    text = random.choice(TEXTS)
    end = random.choice(("\r\n", "\r\n", "\r\n", "\n", "\r"))
    lines = text.split("\r\n")
    for _ in range(random.randint(1, 6)):
        random.choice(_IN_LINES)(random, lines)
    noisy = end.join(lines)
    if random.random() < 0.05:
        noisy = noisy[: random.randrange(len(noisy) + 1)]
    return noisy


def noisy_candidate(random: Random) -> str:
    """One of the captures' candidates, changed in up to four places, or none at all."""
    if random.random() < 0.02:
        return "".join(random.choices(_LETTERS, k=random.randrange(20)))
    lines = [random.choice(CANDIDATES)]
    for _ in range(random.randint(0, 4)):
        random.choice(_IN_WORDS)(random, lines)
    return "\r\n".join(lines)


def _place(random: Random, lines: list[str]) -> int:
    if not lines:
        lines.append("")
    return random.randrange(len(lines))


def _drop(random: Random, lines: list[str]) -> None:
    del lines[_place(random, lines)]


def _double(random: Random, lines: list[str]) -> None:
    at = _place(random, lines)
    lines[at:at] = [lines[at]] * random.choice((1, 1, 1, 50))


def _swap(random: Random, lines: list[str]) -> None:
    one, other = _place(random, lines), _place(random, lines)
    lines[one], lines[other] = lines[other], lines[one]


def _borrow(random: Random, lines: list[str]) -> None:
    lines.insert(_place(random, lines), random.choice(_POOL))


def _invent(random: Random, lines: list[str]) -> None:
    lines.insert(_place(random, lines), random.choice(_LINES))


def _section(random: Random, lines: list[str]) -> None:
    """A section out of another description, or one of this one a second time."""
    text = random.choice([*TEXTS, "\r\n".join(lines)])
    start = text.find("m=", random.randrange(len(text) + 1))
    if start >= 0:
        lines.extend(text[start : text.find("\r\nm=", start) + 2 or None].split("\r\n"))


def _word(random: Random, lines: list[str]) -> None:
    at = _place(random, lines)
    words = lines[at].split(" ")
    which = random.randrange(len(words))
    words[which : which + 1] = random.choice(([], [words[which]] * 2, [random.choice(random.choice(_POOL).split(" "))]))
    lines[at] = " ".join(words)


def _number(random: Random, lines: list[str]) -> None:
    at = _place(random, lines)
    digits = [index for index, letter in enumerate(lines[at]) if letter.isdigit()]
    if digits:
        start = end = random.choice(digits)
        while end < len(lines[at]) and lines[at][end].isdigit():
            end += 1
        lines[at] = lines[at][:start] + random.choice(_NUMBERS) + lines[at][end:]


def _letter(random: Random, lines: list[str]) -> None:
    at = _place(random, lines)
    where = random.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:where] + random.choice(_LETTERS) + lines[at][where + random.randint(0, 1) :]


def _cut(random: Random, lines: list[str]) -> None:
    at = _place(random, lines)
    lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]


def _long(random: Random, lines: list[str]) -> None:
    lines[_place(random, lines)] += random.choice((" ", "x", ",1", ";a=b", "/1", ":")) * random.choice(
        (10, 1000, 17_000)
    )


_Change = Callable[[Random, list[str]], None]
_IN_WORDS: tuple[_Change, ...] = (_word, _word, _number, _number, _letter, _cut, _long)
_IN_LINES: tuple[_Change, ...] = (*_IN_WORDS, _drop, _double, _swap, _borrow, _invent, _section)
