"""`peerline serve`: people register, see who is there, and call each other."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from pathlib import Path
from typing import Any

from peerline.config import Config, load_config

DATABASE_FILE = "peerline.sqlite"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags. A flag beats PEERLINE_… in the environment beats the file given with --config."""
    p = verbs.add_parser("serve", help="run the server", description=__doc__)
    none: Any = argparse.SUPPRESS  # a flag that is not given must not beat the environment or the file
    p.add_argument("--host", default=none, help="address to listen on (127.0.0.1)")
    p.add_argument(
        "--port", type=int, metavar="PORT", default=none, help="port of page and signaling; 0 picks one (8080)"
    )
    p.add_argument("--lan", action="store_true", default=none, help="also serve the LAN, over HTTPS on the same port")
    relay = add_turn_flags(p)
    relay.add_argument(
        "--stun-port", type=int, metavar="PORT", default=none, help="UDP port of STUN; 0 picks one (3478)"
    )
    relay.add_argument("--no-turn", action="store_false", dest="turn", default=none, help="no relay")
    p.add_argument("--auth", choices=("open", "token"), default=none, help="who may register (open)")
    p.add_argument(
        "--echo", action=argparse.BooleanOptionalAction, default=none, help="a robot called Echo, to call when alone"
    )
    store = p.add_mutually_exclusive_group()
    store.add_argument("--database", metavar="URL", default=none, help="sqlite:///FILE or postgresql://…")
    store.add_argument("--no-db", action="store_true", help="keep names and history in memory")
    p.add_argument("--data-dir", type=Path, metavar="DIR", default=none, help="where data lives (~/.peerline)")
    p.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    p.add_argument(
        "--plugin", metavar="NAME_OR_PATH", action="append", dest="plugins", default=none,
        help="load a plugin: a module, or a file like ./log.py; may be given again",
    )  # fmt: skip
    p.add_argument("--json-logs", action="store_true", default=none, help="log lines as JSON")
    p.set_defaults(run=run)


def add_turn_flags(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """What `serve` and `turn` have in common, in a group of its own."""
    none: Any = argparse.SUPPRESS
    p = parser.add_argument_group("relay")
    p.add_argument(
        "--turn-port", type=int, metavar="PORT", default=none, help="UDP and TCP port of TURN; 0 picks one (3478)"
    )
    p.add_argument(
        "--turn-tls-port", type=int, metavar="PORT", default=none, help="TLS port of TURN; 0 picks one (5349)"
    )
    p.add_argument("--turn-cert", type=Path, metavar="FILE", default=none, help="certificate chain for TLS, PEM")
    p.add_argument("--turn-key", type=Path, metavar="FILE", default=none, help="its private key, PEM")
    p.add_argument("--relay-ports", metavar="FIRST-LAST", default=none, help="UDP ports of relays (49152-65535)")
    p.add_argument(
        "--external-ip", metavar="PUBLIC[/PRIVATE]", action="append", default=none,
        help="the public address, where this host stands behind a one-to-one NAT",
    )  # fmt: skip
    p.add_argument(
        "--allow-peer", metavar="CIDR", action="append", default=none,
        help="let the relay reach this network, although it is private, local or reserved; may be given again",
    )  # fmt: skip
    p.add_argument(
        "--turn-alternate", metavar="ADDRESS[:PORT]", action="append", default=none,
        help="another address of this host, for behaviour discovery (RFC 5780); PORT is the one after --turn-port",
    )  # fmt: skip
    p.add_argument("--tcp-relays", action="store_true", default=none, help="relay TCP to peers, too (RFC 6062)")
    p.add_argument(
        "--turn-mobility", action="store_true", default=none,
        help="relays follow their client to another address (RFC 8016); takes one thread",
    )  # fmt: skip
    return p


def run(arguments: argparse.Namespace) -> None:
    """Serve until told to stop."""
    from peerline.server.logs import set_up_logs
    from peerline.server.run import serve  # takes a while to import: not for `--help`

    config = settings(arguments)
    set_up_logs(as_json=config.json_logs)
    serve(config, functools.partial(settings, arguments))


def settings(arguments: argparse.Namespace) -> Config:
    """Flags, environment and file together."""
    names = {field.name for field in dataclasses.fields(Config)}
    flags = {name: value for name, value in vars(arguments).items() if name in names}
    if arguments.no_db:
        flags["database"] = "memory:"
    config = load_config(arguments.config, flags=flags)
    if config.database is None:
        config = dataclasses.replace(config, database=f"sqlite:///{config.data_dir / DATABASE_FILE}")
    return config
