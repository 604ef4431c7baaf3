"""The TURN server's settings as `Config` has them: the same for `peerline serve` and `peerline turn`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from peerline.config import Config
from peerline.errors import ConfigError
from peerline.turnserver.addresses import check_networks, own_addresses, parse_ports
from peerline.turnserver.discovery import Discovery
from peerline.turnserver.settings import UNLIMITED, Quotas, TurnSettings

MIN_SECRET_CHARACTERS = 16
_MAX_COUNT = 2**32 - 1

log = logging.getLogger("peerline.turn")


def turn_settings(
    config: Config,
    secrets: Sequence[str],
    relays: Sequence[tuple[str, str]],
    *,
    also_allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    closed_ports: Sequence[int] = (),
    discovery: Sequence[Discovery] = (),
) -> TurnSettings:
    """`secrets`: newest first. `relays`: pairs of (bind to, tell peers). Raises ConfigError."""
    quotas = quotas_of(config)
    return TurnSettings(
        realm=config.realm,
        secrets=[secret.encode() for secret in secrets],
        users=[parse_user(text) for text in config.turn_user],
        allow=[*check_networks(config.allow_peer), *also_allow],
        deny=list(deny),
        own_addresses=sorted({*own_addresses(), *(told for _, told in relays)}),
        open_ports=[parse_ports(config.relay_ports)],
        closed_ports=sorted(set(closed_ports) - {0}),
        quotas=quotas,
        static_quotas=quotas if config.turn_limits.static_users else UNLIMITED,
        max_allocations=config.turn_limits.max_allocations,
        total_packets_per_s=config.turn_limits.total_packets_per_s,
        total_bits_per_s=config.turn_limits.total_bits_per_s,
        discovery=list(discovery),
        tcp_relays=config.tcp_relays,
        mobility=config.turn_mobility,
        tcp_connections=config.turn_limits.tcp_connections,
    )


def shards_of(config: Config, asked: int | None = None) -> int | None:
    """How many threads; None leaves it to the engine. Raises ConfigError.

    A client that comes from another address may come to another shard, and an allocation stays where it was born.
    """
    if not config.turn_mobility:
        return asked
    if asked is not None and asked > 1:
        raise ConfigError(f"turn_mobility takes one shard, not {asked}", hint="Leave out --shards, or --turn-mobility.")
    return 1


def quotas_of(config: Config) -> Quotas:
    """`[turn_limits]`. Raises ConfigError."""
    limits = config.turn_limits
    for name in ("max_allocations", "total_packets_per_s", "allocations", "permissions", "channels", "new_peers_per_s",
                 "new_peers_burst", "packets_per_s", "tcp_connections"):  # fmt: skip
        if getattr(limits, name) > _MAX_COUNT:
            raise ConfigError(f"turn_limits: {name} is larger than {_MAX_COUNT}", hint="0 lifts the limit.")
    for name in ("total_bits_per_s", "bits_per_s"):
        if getattr(limits, name) >= 2**63:
            raise ConfigError(f"turn_limits: {name} is larger than any network", hint="0 lifts the limit.")
    return Quotas(
        allocations=limits.allocations,
        permissions=limits.permissions,
        channels=limits.channels,
        new_peers_per_s=limits.new_peers_per_s,
        new_peers_burst=limits.new_peers_burst,
        packets_per_s=limits.packets_per_s,
        bits_per_s=limits.bits_per_s,
    )


def configured_secrets(config: Config) -> list[str]:
    """`rest_secret`, newest first; none if they are to be made."""
    for secret in config.rest_secret:
        if len(secret) < MIN_SECRET_CHARACTERS:
            # Every client has a password made of it, and can try all short ones at home.
            log.warning("rest_secret has fewer than %d characters: clients can guess it", MIN_SECRET_CHARACTERS)
    return list(config.rest_secret)


def parse_user(text: str) -> tuple[str, str]:
    """`--user NAME:PASSWORD`. Raises ConfigError."""
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise ConfigError("turn_user has no password or no name", hint="Write NAME:PASSWORD.")
    return name, password
