"""The NAT lab: an internet of your own, with servers, homes behind routers, and links as bad as you like.

`Lab` builds it from network namespaces of this Linux machine, for real programs; pytest gives it as the fixture
`natlab`. `peerline.lab.sim.Network` builds the same in memory and in virtual time, for protocols. `BadPath` is
one bad path between two programs, and needs no root. Start with docs/nat-lab.md.
"""

from peerline.lab.bad_path import BadPath, Counts
from peerline.lab.errors import LabError
from peerline.lab.host import Host
from peerline.lab.lab import Lab, Lan
from peerline.lab.link import Quality
from peerline.lab.nat_type import Dependence, NatType, is_direct
from peerline.lab.ready import what_is_missing

__all__ = [
    "BadPath",
    "Counts",
    "Dependence",
    "Host",
    "Lab",
    "LabError",
    "Lan",
    "NatType",
    "Quality",
    "is_direct",
    "what_is_missing",
]
