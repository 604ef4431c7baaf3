"""Is there HTTPS where it is needed, and will browsers accept the certificates, today and next month?"""

from __future__ import annotations

import datetime
import ipaddress
from urllib.parse import quote

from peerline.doctor.certificate import Certificate as Found
from peerline.doctor.certificate import read_certificate
from peerline.doctor.check import Check, Outcome, State, failed, ok, unknown, warning
from peerline.doctor.patient import Patient

PAGE, RELAY = "the page", "the relay"
SOON = datetime.timedelta(days=14)


class Certificate(Check):
    """Looks at the page's and at the relay's."""

    name = "certificate"
    title = "Certificate"

    async def examine(self, patient: Patient) -> Outcome:
        places = {}
        if patient.server is not None and patient.server.is_secure:
            places[(patient.server.host, patient.server.port)] = PAGE
        for server in patient.ice_servers:
            if server.url.transport == "tls":
                places.setdefault((server.url.host, server.url.port), RELAY)
        outcomes = []
        for (host, port), what in places.items():
            found = await read_certificate(host, port, strict=patient.strict_tls, lax=patient.lax_tls)
            self.say(f"{what}: for {', '.join(found.names) or 'no name'}; until {found.ends:%Y-%m-%d %H:%M} UTC")
            self.say(f"{what}: SHA-256 {found.fingerprint}")
            outcomes.append(judge(found, what, host))
        if patient.server is not None and not patient.server.is_secure:
            outcomes.append(self._without(patient.server.is_this_computer))
        order = [State.FAILED, State.WARNING, State.UNKNOWN, State.OK]
        outcomes.sort(key=lambda outcome: order.index(outcome.state))
        return outcomes[0] if outcomes else unknown("no TLS is spoken here")

    def _without(self, is_this_computer: bool) -> Outcome:
        if is_this_computer:
            return ok("none needed: browsers trust this very computer without HTTPS")
        return warning("plain HTTP: browsers give no camera and no microphone to such a page", "peerline serve --lan")


def judge(found: Found, what: str, host: str, now: datetime.datetime | None = None) -> Outcome:
    """Is it good for `host`?"""
    now = now or datetime.datetime.now(datetime.UTC)
    days = (found.ends - now).days
    if found.is_out_of_time or not found.begins <= now < found.ends:
        words = f"ended on {found.ends:%Y-%m-%d}" if now >= found.ends else f"begins on {found.begins:%Y-%m-%d}"
        return failed(
            f"the certificate of {what} {words}", "certbot renew  (and look at this machine's clock: date -u)"
        )
    if found.is_for_another_name:
        named = ", ".join(found.names) or "nobody"
        return failed(f"the certificate of {what} is for {named}, not for {host}", f"certbot certonly -d {quote(host)}")
    if found.is_home_made and not _is_public_name(host):
        if what == RELAY:
            return warning(
                "the certificate of the relay is home-made: browsers leave the relay over TLS alone, without a word",
                "peerline serve --turn-cert FILE --turn-key FILE",
            )
        return warning(
            f"the certificate of {what} is home-made: browsers warn once",
            "compare the fingerprint with the one that `peerline serve` printed",
        )
    if found.refusal is not None:
        return failed(
            f"browsers refuse the certificate of {what}: {found.refusal}", f"certbot certonly -d {quote(host)}"
        )
    if found.ends - now < SOON:
        return warning(f"the certificate of {what} ends in {days} days", "certbot renew")
    return ok(f"accepted, good for {days} more days")


def _is_public_name(host: str) -> bool:
    """Names that anybody can get a real certificate for; who comes by an address has been told to accept this one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(".local")
    return False
