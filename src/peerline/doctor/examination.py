"""The visit from beginning to end: stage after stage, the checks of a stage at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from peerline.doctor.check import Check, State
from peerline.doctor.checks import Stage
from peerline.doctor.patient import Patient


async def examine(patient: Patient, stages: Sequence[Stage], on_change: Callable[[Check], None]) -> None:
    """Run all checks. Raises UnreachableError if there is no server to examine."""
    if patient.server is not None:
        await patient.reach()
    for stage in stages:
        async with asyncio.TaskGroup() as together:
            for check in stage:
                together.create_task(check.run(patient, on_change))


def verdict(checks: Sequence[Check]) -> State:
    """The worst of all: failed, warning or ok."""
    states = {check.state for check in checks}
    return next((state for state in (State.FAILED, State.WARNING) if state in states), State.OK)
