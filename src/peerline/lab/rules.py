"""What makes a router the NAT that it is: its nftables rules, by type (RFC 4787 §4.1 mapping, §5 filtering).

The kernel's own NAT picks a port for each *connection*, which is symmetric. The cones are made of it with memory: every
packet that leaves is looked at after its translation, and teaches the map `outward` which public port its socket has
got, so that the socket's next connections get the same one; `inward` is the same read backwards, for those who may
come in unasked; `contacted` remembers who was sent to, by address. Ports are random and never preserved, as nobody
should count on that.
"""

from __future__ import annotations

from peerline.lab.nat_type import Dependence, NatType

OUTSIDE, INSIDE = "wan", "lan"  # the router's interfaces
FIRST_PORT, LAST_PORT = 20_000, 60_000
MEMORY = "5m"  # RFC 4787 §4.3: a mapping lives two minutes at least, better five

# The socket inside, as the connection knows it: who began it, or who was found by it.
_ORIGIN = "ct original ip saddr . ct original proto-src"
_REPLIER = "ct reply ip saddr . ct reply proto-src"

_MEMORIES = (
    """
  map outward { type ipv4_addr . inet_service : ipv4_addr . inet_service; flags dynamic, timeout; timeout MEMORY; }
  map inward { type inet_service : ipv4_addr . inet_service; flags dynamic, timeout; timeout MEMORY; }
  set contacted { type inet_service . ipv4_addr; flags dynamic, timeout; timeout MEMORY; }
  chain learn {
    type filter hook postrouting priority srcnat + 10;
    oifname != "wan" return
    meta l4proto udp ct direction original update @outward { ORIGIN : ip saddr . udp sport }
    meta l4proto udp ct direction original update @inward { udp sport : ORIGIN }
    meta l4proto udp ct direction reply update @outward { REPLIER : ip saddr . udp sport }
    meta l4proto udp ct direction reply update @inward { udp sport : REPLIER }
    meta l4proto udp update @contacted { udp sport . ip daddr }
  }""".replace("MEMORY", MEMORY)
    .replace("ORIGIN", _ORIGIN)
    .replace("REPLIER", _REPLIER)
)

_ADMISSION = {
    # Who may come in unasked, and to whom. What comes back on a known connection needs no rule.
    Dependence.ENDPOINT_INDEPENDENT: "dnat ip addr . port to udp dport map @inward",
    Dependence.ADDRESS_DEPENDENT: "udp dport . ip saddr @contacted dnat ip addr . port to udp dport map @inward",
    Dependence.ADDRESS_AND_PORT_DEPENDENT: "",
}

_FIREWALL = """
    udp dport 53 accept
    meta l4proto udp drop
    tcp dport 3478 drop"""


def rules(nat: NatType, address: str) -> str:
    """The rule set of a router of this type with this public address."""
    is_cone = nat.mapping is Dependence.ENDPOINT_INDEPENDENT
    remembered = "ip protocol udp snat ip addr . port to ip saddr . udp sport map @outward" if is_cone else ""
    admission = _ADMISSION[nat.filtering] if nat.filtering is not None else ""
    return f"""
table ip nat {{{_MEMORIES if is_cone else ""}
  chain translate {{
    type nat hook postrouting priority srcnat;
    oifname != "{OUTSIDE}" return
    {remembered}
    meta l4proto {{ udp, tcp }} snat to {address}:{FIRST_PORT}-{LAST_PORT} fully-random
    snat to {address}
  }}
  chain admit {{
    type nat hook prerouting priority dstnat;
    {f'iifname "{OUTSIDE}" ip protocol udp {admission}' if admission else ""}
  }}
  chain pass {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept{_FIREWALL if nat is NatType.UDP_BLOCKED else ""}
    iifname "{INSIDE}" accept
    ct status dnat accept
  }}
  chain protect {{
    # A packet for nobody must leave no trace: a connection to the router itself would keep its port from being used.
    type filter hook input priority filter;
    iifname "{OUTSIDE}" drop
  }}
}}
"""
