"""No device or setting satisfies what was asked for (Media Capture and Streams, section 8.1)."""

from __future__ import annotations

from typing import Any

from peerline.errors import DOMException
from peerline.webidl import dom_string


class OverconstrainedError(DOMException):
    """`OverconstrainedError("width", "no camera has it")`; `constraint` names what could not be satisfied."""

    name = "OverconstrainedError"

    def __init__(self, constraint: str, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(dom_string(message, "message"), hint=hint)
        self._constraint = dom_string(constraint, "constraint")

    @property
    def constraint(self) -> str:
        """The name of the property: "width", "deviceId" …"""
        return self._constraint

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._constraint, self.message)
