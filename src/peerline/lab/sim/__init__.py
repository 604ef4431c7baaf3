"""The NAT lab in memory: hosts, NATs and links in virtual time, the same for the same seed.

It needs no root, no socket and no clock, so that a protocol can be led through every NAT in a millisecond.
"""

from peerline.lab.sim.nat import Address, Nat, Packet
from peerline.lab.sim.network import Host, Lan, Network, Socket

__all__ = ["Address", "Host", "Lan", "Nat", "Network", "Packet", "Socket"]
