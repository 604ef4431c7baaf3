"""How many files and sockets this process may have open: each relay, each connection is one."""

from __future__ import annotations

import contextlib
import resource

ENOUGH = 8192


def raise_descriptor_limit() -> int | None:
    """Raise the soft limit to the hard one. Returns the limit now; None is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


def low_limit_note(limit: int | None) -> str | None:
    """What to tell the operator of a limit that is low; None if it is not."""
    if limit is None or limit >= ENOUGH:
        return None
    return (
        f"This process may open {limit} files and sockets only, and each relay takes one: "
        "raise it with ulimit -Hn, or LimitNOFILE= of systemd."
    )
