"""`peerline turn`: the TURN server alone, without pages and signaling (RFC 8656)."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import functools
from pathlib import Path
from typing import Any

from peerline.cli.serve import add_turn_flags
from peerline.config import Config, load_config


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    none: Any = argparse.SUPPRESS
    p = verbs.add_parser("turn", help="run the TURN server alone", description=__doc__)
    p.add_argument(
        "--host", default=none, help="addresses to listen on, with commas between them; 0.0.0.0,:: for all (127.0.0.1)"
    )
    p.add_argument("--realm", default=none, help="told to clients (peerline)")
    p.add_argument(
        "--user", dest="turn_user", metavar="NAME:PASSWORD", action="append", default=none, help="may be given again"
    )
    p.add_argument(
        "--rest-secret", type=_secret, metavar="SECRET", action="append", default=none,
        help="of time-limited credentials, newest first; may be given again",
    )  # fmt: skip
    p.add_argument("--shards", type=_count, metavar="N", help="threads (one less than cores, 1 to 4)")
    p.add_argument("--drain-s", type=_seconds, metavar="N", default=10.0, help="how long SIGTERM waits for relays (10)")
    p.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML; SIGHUP reads them again")
    p.add_argument("--json-logs", action="store_true", default=none, help="log lines as JSON")
    p.add_argument("--no-limits", action="store_true", help="answer strangers as fast as they ask: for benchmarks")
    add_turn_flags(p)
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Serve until told to stop."""
    from peerline.server.logs import set_up_logs
    from peerline.turnserver.alone import Alone

    config = settings(arguments)
    set_up_logs(as_json=config.json_logs)
    alone = Alone(
        config,
        functools.partial(settings, arguments),
        shards=arguments.shards,
        drain_s=arguments.drain_s,
        answers_strangers_without_limit=arguments.no_limits,
    )
    asyncio.run(alone.run())


def settings(arguments: argparse.Namespace) -> Config:
    """Flags, environment and file together."""
    names = {field.name for field in dataclasses.fields(Config)}
    return load_config(arguments.config, flags={n: v for n, v in vars(arguments).items() if n in names})


def _secret(text: str) -> str:
    if not text.strip():  # a variable that is not set, as often as not
        raise argparse.ArgumentTypeError("it is empty; leave it out, and one is made")
    return text


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 4096):
        raise argparse.ArgumentTypeError("a number from 1 to 4096 is wanted")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError("seconds are wanted, 0 or more")
    return seconds
