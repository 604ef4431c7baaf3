"""Does signaling work over plain HTTP, for networks where WebSocket is blocked (docs/protocol.md, section 2.2)?"""

from __future__ import annotations

import secrets
import time

from peerline.doctor.check import Check, Outcome, failed, ok, warning
from peerline.doctor.hello import read_welcome, write_hello
from peerline.doctor.http import Http, UnreachableError
from peerline.doctor.patient import Patient


class HttpSignaling(Check):
    """Signs in, opens the event stream, falls back to a poll if nothing comes, signs out."""

    name = "signaling-http"
    title = "Signaling over HTTP"
    timeout_s = 20.0

    async def examine(self, patient: Patient) -> Outcome:
        http = patient.http
        hello = write_hello(patient.hello(secrets.token_urlsafe(16)))
        asked_s, began = time.time(), time.monotonic()
        reply = await http.ask("POST", "/signal/sessions", hello, {"Content-Type": "application/json"})
        rtt_s = time.monotonic() - began
        welcome = read_welcome(reply.body)
        patient.welcomed(welcome, asked_s)
        patient.facts.round_trips_s["HTTP"] = rtt_s
        self.say(f"a session opened by POST in {rtt_s * 1000:.1f} ms")
        path, bearer = f"/signal/sessions/{welcome.sid}", {"Authorization": f"Bearer {welcome.key}"}
        try:
            return await self._receive(http, path, bearer, rtt_s)
        finally:
            await http.ask("DELETE", path, headers=bearer)

    async def _receive(self, http: Http, path: str, bearer: dict[str, str], rtt_s: float) -> Outcome:
        try:
            status, line = await http.first_line(f"{path}/events?rx=0", bearer)
        except UnreachableError as error:
            status, line = 0, error.message
        if status == 200 and line == ":hb":
            self.say("the event stream flows")
            return ok(f"events flow, a request takes {rtt_s * 1000:.1f} ms")
        self.say(f"the event stream does not: {f'status {status}, ' if status else ''}{line[:100]}")
        poll = await http.ask("GET", f"{path}/poll?rx=0&wait_s=0", headers=bearer)
        self.say(f"long poll: status {poll.status}")
        if poll.status != 200:
            return failed("neither events nor polls come through", "lead /signal to the server unchanged")
        return warning(
            "something on the way holds events back: clients poll instead", "behind nginx: proxy_buffering off;"
        )
