"""The packet core as Python sees it: its services, and the data paths of peer connections (docs/decisions/0002)."""

from peerline.engine.engine import Engine
from peerline.engine.stats import EngineStats, TurnStats
from peerline.engine.stun_listener import StunListener
from peerline.engine.turn_listener import AllocationRow, TurnEvent, TurnListener

__all__ = ["AllocationRow", "Engine", "EngineStats", "StunListener", "TurnEvent", "TurnListener", "TurnStats"]
