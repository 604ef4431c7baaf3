"""What a terminal shows of a call: words for people, or lines of JSON for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from peerline.errors import PeerlineError

__all__ = ["Screen", "plain", "sized"]

_BAR_WIDTH = 30
_EVERY_S = 0.1


class Screen:
    """What the other side says goes to standard output, what we say about it to standard error; JSON all to output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._has_bar = False
        self._shown_at = 0.0

    def note(self, event: str, words: str, **facts: Any) -> None:
        """Something has happened."""
        if self.as_json:
            self._write_json(event, facts)
        else:
            self._wipe()
            print(words, file=sys.stderr, flush=True)

    def say(self, who: str, text: str, **facts: Any) -> None:
        """Somebody has said something."""
        if self.as_json:
            self._write_json("message", {"from": who, "text": text, **facts})
            return
        self._wipe()
        for line in text.split("\n"):
            print(f"{plain(who)}: {plain(line)}", flush=True)

    def ask(self, words: str) -> None:
        """A question; whoever reads what is typed gets the answer."""
        self._wipe()
        print(f"{words} [y/n] ", end="", file=sys.stderr, flush=True)

    def progress(self, name: str, done: int, size: int) -> None:
        """How far a file is; called for each piece, shown now and then."""
        now = time.monotonic()
        if done < size and now - self._shown_at < _EVERY_S:
            return
        self._shown_at = now
        if self.as_json:
            self._write_json("progress", {"name": name, "done": done, "size": size})
        elif self._is_terminal:
            share = done / size if size else 1.0
            bar = "█" * round(share * _BAR_WIDTH)
            words = f"{plain(name)}  {bar:░<{_BAR_WIDTH}}  {share:4.0%}  {sized(done)} of {sized(size)}"
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()
            self._has_bar = True

    def status(self, words: str) -> None:
        """How something stands that goes on: one line that changes, on a terminal alone."""
        if self._is_terminal and not self.as_json:
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()
            self._has_bar = True

    def fail(self, error: PeerlineError) -> None:
        """It did not work."""
        if self.as_json:
            self._write_json("error", {"code": error.code, "message": error.message, "hint": error.hint})
            return
        self._wipe()
        print(f"peerline: {plain(error.message)} [{error.code}]", file=sys.stderr)
        if error.hint:
            print(f"  {plain(error.hint)}", file=sys.stderr)

    def _write_json(self, event: str, facts: dict[str, Any]) -> None:
        print(json.dumps({"event": event, **facts}), flush=True)

    def _wipe(self) -> None:
        """What is typed stays in the terminal's line; a bar is not needed any more."""
        if self._has_bar:
            sys.stderr.write("\r\x1b[K")
            self._has_bar = False


def plain(text: str) -> str:
    """What a terminal would obey is shown and not sent."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def sized(size: int) -> str:
    """ "12 bytes", "1.4 MB"."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount, units = size / 1000, ["kB", "MB", "GB", "TB"]
    while amount >= 999.95 and len(units) > 1:
        amount /= 1000
        del units[0]
    return f"{amount:.1f} {units[0]}"
