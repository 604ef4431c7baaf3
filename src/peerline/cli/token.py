"""`peerline token create`: a token for `--auth token`, or for the API."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from peerline.auth.names import parse_name
from peerline.auth.tokens import RIGHTS, Tokens, load_secret
from peerline.config import load_config
from peerline.errors import ConfigError

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    none: Any = argparse.SUPPRESS
    p = verbs.add_parser("token", help="make tokens", description=__doc__)
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="print a new token")
    create.add_argument("--name", required=True, help="who the token is for")
    create.add_argument("--right", action="append", choices=RIGHTS, default=[], help="a right; may be given again")
    create.add_argument("--ttl", default="24h", help="how long it is good: 90s, 30m, 24h, 7d (24h)")
    create.add_argument("--data-dir", type=Path, metavar="DIR", default=none, help="the server's data folder")
    create.add_argument("--config", type=Path, metavar="FILE", help="the server's settings")
    create.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print a token, and nothing else."""
    flags = {"data_dir": arguments.data_dir} if "data_dir" in arguments else {}
    config = load_config(arguments.config, flags=flags)
    _, name = parse_name(arguments.name)
    tokens = Tokens(load_secret(config.data_dir) if config.token_secret is None else config.token_secret)
    print(tokens.create(name, rights=arguments.right, ttl_s=parse_ttl(arguments.ttl)))


def parse_ttl(text: str) -> float:
    """Seconds in "90s", "30m", "24h", "7d". Raises ConfigError."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if match is None:
        raise ConfigError(f"{text!r} is no time", hint="For example 90s, 30m, 24h or 7d.")
    return float(match[1]) * UNITS_S[match[2]]
