"""The packet core as Python sees it: its services, and the data paths of peer connections (docs/decisions/0002)."""

from peerline.engine.engine import AllocationRow, Engine, EngineStats, StunListener, TurnEvent, TurnListener, TurnStats

__all__ = ["AllocationRow", "Engine", "EngineStats", "StunListener", "TurnEvent", "TurnListener", "TurnStats"]
