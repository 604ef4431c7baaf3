"""The TURN server's policy: who may allocate, which peers may be reached, where relays are opened (RFC 8656).

Packets never come here: `peerline.engine` relays them on threads of its own.
"""

from peerline.turnserver.credentials import Credentials, make_credentials
from peerline.turnserver.server import TurnServer
from peerline.turnserver.settings import UNLIMITED, Quotas, TurnSettings
from peerline.turnserver.usage import Usage

__all__ = ["UNLIMITED", "Credentials", "Quotas", "TurnServer", "TurnSettings", "Usage", "make_credentials"]
