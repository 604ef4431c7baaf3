"""The command `peerline`: one verb a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from peerline import __version__
from peerline.cli import call, doctor, record, sdp, send, serve, token, turn
from peerline.cli.parser import VerbParser
from peerline.errors import ConfigError, PeerlineError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb. Exit codes: 0 done, 1 it failed, 2 the command or a setting is wrong; `call` and `send` have more."""
    parser = VerbParser(prog="peerline", description="WebRTC calls, signaling, STUN and TURN in one program.")
    parser.add_argument("--version", action="version", version=f"peerline {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (serve, call, record, send, turn, token, doctor, sdp):
        verb.add_parser(verbs)
    arguments = parser.parse_args(argv)
    try:
        code: int | None = arguments.run(arguments)
    except KeyboardInterrupt:
        return 130
    except PeerlineError as error:
        print(f"peerline: {error.message} [{error.code}]", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return code or 0
