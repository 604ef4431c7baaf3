"""How the load generator speaks to each server: one class a protocol.

Client 2i and client 2i+1 are a pair: they call each other up, then relay. A class has `url(cid)`, `headers`, `hb`
(seconds between heartbeats), `on_open(conn)`, `on_frame(conn, payload)` giving None, READY or the time stamp of a
relayed message, `encode(conn, dst, ts)` and `heartbeat()`; `conn.send(bytes)`, `conn.state` and `conn.cid` are the
generator's.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

try:  # another generator with the same way of calling brings a sentinel of its own
    from adapters import READY
except ImportError:
    READY = object()


class Peerline:
    """Registration, a call between the two of a pair, then `cand` messages with numbers and acknowledgements.

    Clients from `callers` on only register: what an idle connection costs is measured on them.
    """

    hb = 15.0
    headers = (("Sec-WebSocket-Protocol", "peerline.v1.json"),)

    def __init__(self, base: str, payload: int = 300, callers: int = 400) -> None:
        self.base = base
        self.callers = callers
        self.pad = b"x" * max(0, payload - 110)

    def url(self, cid: int) -> str:
        return f"{self.base}/signal"

    def on_open(self, conn: Any) -> None:
        conn.state.update(tx=0, rx=0)
        body = {"v": [1], "name": f"p{conn.cid}", "own": secrets.token_urlsafe(24), "dev": f"device-{conn.cid:010d}"}
        conn.send(json.dumps({"t": "hello", "d": body}).encode())

    def on_frame(self, conn: Any, mv: memoryview) -> Any:
        b = bytes(mv)
        if b.startswith(b'{"s":'):
            conn.state["rx"] += 1
            if conn.ready:
                at = b.find(b'"ts":')
                return int(b[at + 5 : at + 24]) if at >= 0 else None
            return self._set_up(conn, json.loads(b))
        if b.startswith(b'{"t":"welcome"'):
            if conn.cid >= self.callers:
                return READY
            if conn.cid % 2 == 0:
                self._call(conn)
        elif b.startswith(b'{"t":"err"'):
            raise RuntimeError(b[:200])
        return None

    def _call(self, conn: Any) -> None:
        token = conn.state["call"] = b"01" + b"%024d" % secrets.randbelow(10**24)
        self._send(
            conn, b'"t":"call","call":"%b","d":{"to":"u/p%d","media":["a"],"ttl_ms":120000}}' % (token, conn.cid ^ 1)
        )

    def _set_up(self, conn: Any, message: dict[str, Any]) -> Any:
        t = message["t"]
        if t == "err" and message["d"]["code"] == "offline":
            self._call(conn)  # the other one is still on its way
        elif t == "err":
            raise RuntimeError(message)
        elif t == "ring":
            token = conn.state["call"] = message["call"].encode()
            self._send(conn, b'"t":"accept","call":"%b","d":{"media":["a"]}}' % token)
        elif t == "up":
            conn.state["head"] = b'"t":"cand","call":"%b","d":{"ts":' % conn.state["call"]
            return READY
        return None

    def _send(self, conn: Any, tail: bytes) -> None:
        state = conn.state
        state["tx"] += 1
        conn.send(b'{"s":%d,"a":%d,%b' % (state["tx"], state["rx"], tail))

    def encode(self, conn: Any, dst: int, ts: int) -> bytes:
        state = conn.state
        state["tx"] += 1
        return b'{"s":%d,"a":%d,%b%019d,"c":"%b"}}' % (state["tx"], state["rx"], state["head"], ts, self.pad)

    def heartbeat(self) -> bytes:
        return b'{"t":"ping","d":{}}'


class PeerJS:
    """The `peer` server from npm."""

    hb = 5.0
    headers = None

    def __init__(self, base: str, payload: int = 300) -> None:
        self.base = base
        candidate = b'{"candidate":"%b","sdpMid":"0","sdpMLineIndex":0}' % (b"x" * max(0, payload - 150))
        self.tail = b',"candidate":%b,"type":"media","connectionId":"mc_x"}}' % candidate
        self.heads: dict[int, bytes] = {}

    def url(self, cid: int) -> str:
        return f"{self.base}/peerjs?key=peerjs&id=p{cid}&token=t{cid}&version=1.5.5"

    def on_open(self, conn: Any) -> None:
        """Nothing to say."""

    def on_frame(self, conn: Any, mv: memoryview) -> Any:
        b = bytes(mv)
        if not conn.ready:
            if b.startswith(b'{"type":"OPEN"'):
                return READY
            raise RuntimeError(b[:120])
        at = b.find(b'"ts":')
        return int(b[at + 5 : at + 24]) if at >= 0 else None

    def encode(self, conn: Any, dst: int, ts: int) -> bytes:
        head = self.heads.get(dst)
        if head is None:
            head = self.heads[dst] = b'{"type":"CANDIDATE","dst":"p%d","payload":{"ts":' % dst
        return b"%b%019d%b" % (head, ts, self.tail)

    def heartbeat(self) -> bytes:
        return b'{"type":"HEARTBEAT"}'
