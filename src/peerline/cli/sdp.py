"""`peerline sdp`: says what a description means, line by line, and changes it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.sdp import Description
    from peerline.sdp.explain import Explanation, Language

# More than is ever parsed: a wrong file is told from a large one before it fills the memory.
MAX_FILE_BYTES = 8 * 1024 * 1024
_MAX_WIDTH = 100
_NO_BREAK = "\N{NO-BREAK SPACE}"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb, its actions and their flags."""
    p = verbs.add_parser(
        "sdp", help="explain or change a description", description=__doc__,
        epilog="Exit code: 0 done; 1 the file is not SDP, the error names the line; 2 no such file, or bad usage.",
    )  # fmt: skip
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")

    explain = _action(actions, "explain", "say what each line means", run_explain)
    explain.add_argument("--lang", choices=("en", "zh"), help="English or Chinese (by the locale)")
    explain.add_argument("--json", action="store_true", help="as JSON, for programs")

    bandwidth = _action(actions, "bandwidth", "set the most that the other side may send, in kbit/s", run_bandwidth)
    for kind in ("audio", "video"):
        bandwidth.add_argument(f"--{kind}", type=_kbps, metavar="KBPS", help=f"for {kind}; 0 takes the limit off")
    bandwidth.add_argument("--session", type=_kbps, metavar="KBPS", help="for everything together")
    bandwidth.add_argument(
        "--type",
        choices=("AS", "TIAS", "CT"),
        help="which b= line (AS; CT with --session): TIAS does not count headers",
    )

    direction = _action(actions, "direction", "set who sends", run_direction)
    direction.add_argument("--kind", choices=("audio", "video"), help="only this medium")
    direction.add_argument("direction", choices=("sendrecv", "sendonly", "recvonly", "inactive"))

    codecs = _action(actions, "codecs", "put codecs first, or take them out", run_codecs)
    codecs.add_argument("--prefer", metavar="NAME[,NAME]", default="", help="for example VP9,H264")
    codecs.add_argument("--remove", metavar="NAME[,NAME]", default="", help="for example AV1")

    strip = _action(actions, "strip-candidates", "take addresses out", run_strip_candidates)
    strip.add_argument(
        "--keep", action="append", choices=("host", "srflx", "prflx", "relay"), default=[], help="but not these"
    )

    for action in (explain, bandwidth, direction, codecs, strip):
        action.add_argument(
            "file", metavar="FILE", help="a description, or - for standard input; JSON with it in `sdp` will do"
        )


def run_explain(arguments: argparse.Namespace) -> None:
    """Every line with what it means, or as JSON."""
    from peerline.sdp.explain import explain

    description = _read(arguments.file)
    lines = [str(line) for section in (description.session, *description.media) for line in section.lines]
    language = arguments.lang or _language()
    explained = explain(lines, language)
    if arguments.json:
        rows = [
            {"n": number, "line": one.line, "row": one.row, "known": one.is_known, "rfc": one.rfc, "words": one.words}
            for number, one in enumerate(explained, 1)
        ]
        _write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    _write("".join(f"{row}\n" for row in _told(explained, language)))


def run_bandwidth(arguments: argparse.Namespace) -> None:
    """The description with other limits."""
    from peerline.sdp import set_bandwidth, set_session_bandwidth

    if arguments.audio is arguments.video is arguments.session is None:
        raise ConfigError("no limit", hint="For example --audio 32 --video 500.")
    description = _read(arguments.file)
    for kind in ("audio", "video"):
        kbps = getattr(arguments, kind)
        if kbps is not None:
            description = set_bandwidth(description, kind, kbps * 1000 or None, type=arguments.type or "AS")
    if arguments.session is not None:
        kbps = arguments.session
        description = set_session_bandwidth(description, kbps * 1000 or None, type=arguments.type or "CT")
    _write(description)


def run_direction(arguments: argparse.Namespace) -> None:
    """The description with another direction."""
    from peerline.sdp import set_direction

    _write(set_direction(_read(arguments.file), arguments.kind, arguments.direction))


def run_codecs(arguments: argparse.Namespace) -> None:
    """The description with other codecs, or in another order."""
    from peerline.sdp import prefer_codecs, remove_codec

    preferred = [name for name in arguments.prefer.split(",") if name]
    removed = [name for name in arguments.remove.split(",") if name]
    if not preferred and not removed:
        raise ConfigError("no codec", hint="For example --prefer VP9,H264 or --remove AV1.")
    description = _read(arguments.file)
    known = {codec.key for media in description.media for codec in media.codecs}
    for name in [*preferred, *removed]:
        if name.lower() not in known:
            raise ConfigError(f"no codec {name!r} in it", hint=f"There are {', '.join(sorted(known))}.")
    for kind in ("audio", "video"):
        for name in removed:
            description = remove_codec(description, kind, name)
        description = prefer_codecs(description, kind, preferred)
    _write(description)


def run_strip_candidates(arguments: argparse.Namespace) -> None:
    """The description without addresses."""
    from peerline.sdp import strip_candidates

    _write(strip_candidates(_read(arguments.file), lambda candidate: candidate.type in arguments.keep))


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, run: object
) -> argparse.ArgumentParser:
    p = actions.add_parser(name, help=what, description=what)
    p.set_defaults(run=run)
    return p


def _kbps(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of kbit/s")
    return int(text)


def _read(name: str) -> Description:
    """Raises ConfigError for a file that cannot be read, SdpError for one that is not SDP."""
    from peerline.sdp import parse

    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}", hint="Give a file, or - for standard input.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_FILE_BYTES} bytes", hint="A description has some kilobytes.")
    return parse(_out_of_json(content))


def _out_of_json(content: bytes) -> str | bytes:
    """What JSON.stringify(pc.localDescription) gives, as it is copied from a browser's console."""
    if content.lstrip()[:1] != b"{":
        return content
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    sdp = found.get("sdp") if isinstance(found, dict) else None
    return sdp if isinstance(sdp, str) else content


def _write(what: Description | str) -> None:
    """To standard output in UTF-8, line ends untouched; somebody who reads no further (`| head`) is no error."""
    try:
        sys.stdout.buffer.write(str(what).encode(errors="replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _language() -> Language:
    """As gettext looks for it."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next((name for name in names if name), "").lower().startswith("zh") else "en"


def _told(explained: list[Explanation], language: Language) -> Iterator[str]:
    width = min(_MAX_WIDTH, shutil.get_terminal_size((_MAX_WIDTH, 24)).columns)
    is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
    bold, plain = ("\x1b[1m", "\x1b[0m") if is_terminal else ("", "")
    for index, one in enumerate(explained):
        if one.line.startswith("m=") and index:
            yield ""
        # What a terminal would obey is shown and not sent.
        shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in one.line)
        words = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in one.words)
        yield f"{bold}{shown}{plain}"
        rfc = one.rfc.replace(" ", _NO_BREAK)
        for row in _wrapped(words + (f"（{rfc}）" if language == "zh" else f" ({rfc})"), width - 4):
            yield f"    {row.replace(_NO_BREAK, ' ')}"


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Rows of at most `width` columns; Chinese characters take two, and rows may end after any of them."""
    row, columns, last_break = "", 0, 0
    for char in text:
        wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if columns + wide > width and row:
            # No mark stands at the beginning of a row.
            at = last_break or len(row)
            yield row[:at].rstrip()
            row = row[at:].lstrip()
            columns = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in row)
            last_break = 0
        if wide == 2 and char not in "，。；：）、":
            last_break = len(row)
        row += char
        columns += wide
        if char == " ":
            last_break = len(row)
    yield row
