"""JSON Web Tokens (RFC 7519) for `--auth token`: expiry, name, rights; signed with HS256."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt

from peerline.auth.secrets_file import MIN_SECRET_CHARACTERS, load_secrets
from peerline.errors import AuthError, ConfigError

ISSUER = "peerline"
RIGHTS = ("admin",)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid token says: the name, the rights, and when it ends (seconds since 1970)."""

    name: str
    rights: tuple[str, ...]
    expires: float


class Tokens:
    """Makes and checks tokens with one secret."""

    def __init__(self, secret: str) -> None:
        if len(secret) < MIN_SECRET_CHARACTERS:
            raise ConfigError(
                f"token_secret has fewer than {MIN_SECRET_CHARACTERS} characters",
                hint="Leave it out: one is made and kept in the data folder.",
            )
        self._secret = secret

    def create(self, name: str, *, rights: Sequence[str] = (), ttl_s: float = 3600.0) -> str:
        """A token for `name` that is good for `ttl_s` seconds."""
        for right in rights:
            if right not in RIGHTS:
                raise ConfigError(f"there is no right {right!r}", hint=f"Known rights: {', '.join(RIGHTS)}.")
        now = time.time()
        claims = {
            "iss": ISSUER,
            "name": name,
            "rights": list(rights),
            "iat": int(now),
            "exp": int(now + ttl_s),
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def check(self, token: str) -> Grant:
        """What the token grants. Raises AuthError; its message never contains the token."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                options={"require": ["exp", "name"]},
            )
        except jwt.ExpiredSignatureError:
            raise AuthError("the token has expired", hint="Ask for a new one.") from None
        except (jwt.InvalidTokenError, RecursionError, ValueError):
            raise AuthError("the token is not valid here", hint="Ask the operator for one.") from None
        name, rights = claims["name"], claims.get("rights", [])
        if not isinstance(name, str) or not isinstance(rights, list):
            raise AuthError("the token is not valid here", hint="Ask the operator for one.")
        return Grant(name, tuple(r for r in rights if r in RIGHTS), float(claims["exp"]))


def load_secret(data_dir: Path) -> str:
    """The secret that signs tokens, made once and kept in `secrets.toml`. Raises ConfigError."""
    return load_secrets(data_dir, "token")[0]
