"""`peerline turn`: the TURN server alone, without pages and signaling (RFC 8656)."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import secrets
import signal
from typing import Any

from peerline.cli.serve import add_turn_flags
from peerline.config import Config, load_config
from peerline.engine import Engine
from peerline.errors import ConfigError, PeerlineError
from peerline.turnserver import TurnServer, TurnSettings
from peerline.turnserver.addresses import (
    check_networks,
    own_addresses,
    parse_ports,
    relay_addresses,
)  # fmt: skip


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    none: Any = argparse.SUPPRESS
    p = verbs.add_parser("turn", help="run the TURN server alone", description=__doc__)
    p.add_argument("--host", default=none, help="address to listen on; 0.0.0.0 for all (127.0.0.1)")
    add_turn_flags(p)
    p.add_argument("--realm", default="peerline", help="told to clients (peerline)")
    p.add_argument("--user", metavar="NAME:PASSWORD", action="append", default=[], help="may be given again")
    p.add_argument("--rest-secret", metavar="SECRET", action="append", default=[], help="of time-limited credentials")
    p.add_argument("--shards", type=int, metavar="N", help="threads (one less than cores, 1 to 4)")
    p.add_argument("--no-limits", action="store_true", help="answer strangers as fast as they ask: for benchmarks")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Serve until told to stop."""
    from peerline.server.logs import set_up_logs

    names = ("host", "turn_port", "relay_ports", "external_ip", "allow_peer")
    config = load_config(None, flags={n: v for n, v in vars(arguments).items() if n in names})
    set_up_logs(as_json=False)
    asyncio.run(serve(config, arguments))


async def serve(config: Config, arguments: argparse.Namespace) -> None:
    """Print `listening …` when ready. Raises ConfigError, also if a port is taken."""
    users = [_user(text) for text in arguments.user]
    rest = [text.encode() for text in arguments.rest_secret]
    is_made = not users and not rest
    if is_made:
        rest = [secrets.token_urlsafe(32).encode()]
    ports = parse_ports(config.relay_ports)
    relays = relay_addresses([config.host], config.external_ip)
    settings = TurnSettings(
        realm=arguments.realm,
        secrets=rest,
        users=users,
        allow=check_networks(config.allow_peer),
        own_addresses=sorted({*own_addresses(), *(told for _, told in relays)}),
        open_ports=[ports],
        answers_per_second=None if arguments.no_limits else 50,
    )
    with Engine(arguments.shards) as engine:
        engine.attach(asyncio.get_running_loop())
        server = TurnServer(engine, settings)
        try:
            addresses = server.listen([("udp", config.host, config.turn_port)], relays, ports)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise PeerlineError(
                f"UDP port {config.turn_port} on {config.host} cannot be used: {reason}",
                code="unavailable",
                hint="Choose another with --turn-port, or any free one with --turn-port 0.",
            ) from error
        server.reload(dataclasses.replace(settings, closed_ports=[port for _, _, port in addresses]))
        for transport, host, port in addresses:
            print(f"listening {transport} {host}:{port}", flush=True)
        if is_made:
            print(f"rest-secret {rest[0].decode()}  (made for this run; --rest-secret or --user chooses)", flush=True)
        await _told_to_stop()
        server.drain()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _user(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise ConfigError(f"--user {name!r} has no password", hint="Write NAME:PASSWORD.")
    return name, password
