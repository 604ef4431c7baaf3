"""`/api/v1/turn`: the relay's allocations for the operator, to see and to end them, and who has relayed how much."""

from __future__ import annotations

import re

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request

from peerline.engine import AllocationRow
from peerline.errors import BackendError, RefusedError, RemoteProtocolError
from peerline.server import api_query
from peerline.server.openapi import NUMBER, Operation, Parameter
from peerline.server.service import Service
from peerline.signaling.messages import Who
from peerline.turnserver import TurnServer
from peerline.turnserver.usage import account_of

MAX_ROWS = 1000
_ID = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})")


class Relayed(msgspec.Struct, kw_only=True):
    """What has been relayed, up from the client and down to it."""

    packets_up: int
    bytes_up: int
    packets_down: int
    bytes_down: int


class AllocationNow(msgspec.Struct, kw_only=True):
    """One allocation. `user` is the account, `who` the person behind it, if somebody signed in has it."""

    id: str
    user: str
    who: Who | None
    transport: str
    age_s: int
    left_s: int
    permissions: int
    channels: int
    usage: Relayed
    client: str | UnsetType = UNSET
    relayed: list[str] | UnsetType = UNSET


class AllocationsNow(msgspec.Struct):
    """Of `total` allocations a page; `next` is the value of `after` for the next one, null on the last."""

    allocations: list[AllocationNow]
    total: int
    next: str | None


class UserUsage(Relayed, kw_only=True):
    """What one account has relayed since the server started, with `running` allocations and `finished` ones."""

    user: str
    who: Who | None
    running: int
    finished: int


class UsageNow(msgspec.Struct):
    """Of `total` accounts those that have relayed most bytes, most first."""

    users: list[UserUsage]
    total: int


class Kicked(msgspec.Struct):
    """So many allocations were ended."""

    kicked: int


_LIMIT = Parameter("limit", f"At most so many; up to {MAX_ROWS}", NUMBER)
_TEXT = {"type": "string"}
_REFUSALS = (400, 401, 403, 503)


class TurnApi:
    """The routes below `/turn`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        """For the routes, and for their description."""
        after = Parameter("after", "`next` of the page before", _TEXT)
        addresses = Parameter("addresses", "Whether to tell addresses, which are private", {"type": "boolean"})
        user = Parameter("user", "An account, or the name of a person who is signed in", _TEXT, is_required=True)
        id = Parameter("id", "`id` of an allocation", _TEXT, where="path", is_required=True)
        allocations = "/turn/allocations"
        return [
            Operation("GET", allocations, "The relay's allocations", AllocationsNow, self.allocations,
                      (after, _LIMIT, addresses), _REFUSALS),
            Operation("DELETE", allocations, "End all allocations of a user", Kicked, self.kick_user,
                      (user,), _REFUSALS),
            Operation("DELETE", allocations + "/{id}", "End an allocation", Kicked, self.kick,
                      (id,), (*_REFUSALS, 404)),
            Operation("GET", "/turn/usage", "Who has relayed how much", UsageNow, self.usage, (_LIMIT,), _REFUSALS),
        ]  # fmt: skip

    async def allocations(self, request: Request) -> AllocationsNow:
        """A page of them, in an order that stays."""
        limit = api_query.limit(request, 100, MAX_ROWS)
        has_addresses = api_query.flag(request, "addresses")
        after = request.query_params.get("after")
        since = _parse_id(after) if after is not None else None
        rows = sorted(await self._turn().allocations(), key=_key)
        page = [row for row in rows if since is None or _key(row) > since][: limit + 1]
        people = self._people()
        shown = [_shown(row, people, has_addresses=has_addresses) for row in page[:limit]]
        return AllocationsNow(shown, len(rows), shown[-1].id if len(page) > limit else None)

    async def kick(self, request: Request) -> Kicked:
        """One."""
        handle, allocation = _parse_id(request.path_params["id"])
        if not await self._turn().kick_allocation(handle, allocation):
            raise RefusedError("there is no such allocation", code="gone", hint="It may be over: ask for the list.")
        return Kicked(1)

    async def kick_user(self, request: Request) -> Kicked:
        """All of one user; none is no error."""
        user = request.query_params.get("user")
        if not user:
            raise RemoteProtocolError("user is missing", hint="Say whose allocations: ?user=NAME.")
        turn = self._turn()
        accounts = {user} | {account for account, who in self._people().items() if user in (who.u, who.n)}
        return Kicked(sum([await turn.kick(account) for account in accounts]))

    async def usage(self, request: Request) -> UsageNow:
        """Those who have relayed most."""
        limit = api_query.limit(request, 100, MAX_ROWS)
        usage = await self._turn().usage_now()
        people = self._people()
        most = sorted(usage.items(), key=lambda item: (-item[1].bytes_up - item[1].bytes_down, item[0]))[:limit]
        users = [
            UserUsage(
                user=user, who=people.get(user), running=u.running, finished=u.allocations,
                packets_up=u.packets_up, bytes_up=u.bytes_up, packets_down=u.packets_down, bytes_down=u.bytes_down,
            )
            for user, u in most
        ]  # fmt: skip
        return UsageNow(users, len(usage))

    def _turn(self) -> TurnServer:
        if self._service.turn is None:
            raise BackendError(
                "there is no TURN server here", retryable=False, hint="`peerline serve` has one, unless --no-turn."
            )
        return self._service.turn

    def _people(self) -> dict[str, Who]:
        """Accounts are the store's ids of people: their names must not go over the wire to the relay."""
        return {session.person.id: session.person.who for session in self._service.hub.sessions.values()}


def _key(row: AllocationRow) -> tuple[int, int]:
    return row.handle, row.allocation


def _parse_id(text: str) -> tuple[int, int]:
    match = _ID.fullmatch(text)
    if match is None:
        raise RemoteProtocolError("this is no id of an allocation", hint="Take it from the list of allocations.")
    return int(match[1], 16), int(match[2], 16)


def _shown(row: AllocationRow, people: dict[str, Who], *, has_addresses: bool) -> AllocationNow:
    up, bytes_up, down, bytes_down = row.usage
    user = account_of(row.username)
    return AllocationNow(
        id=f"{row.handle:x}-{row.allocation:x}", user=user, who=people.get(user), transport=row.transport,
        age_s=row.age_s, left_s=row.left_s, permissions=row.permissions, channels=row.channels,
        usage=Relayed(packets_up=up, bytes_up=bytes_up, packets_down=down, bytes_down=bytes_down),
        client=row.client if has_addresses else UNSET, relayed=row.relayed if has_addresses else UNSET,
    )  # fmt: skip
