"""Names, keys and tokens: who may be whom."""

from __future__ import annotations

import stat
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerline.auth.keys import hash_key, same
from peerline.auth.names import parse_name
from peerline.auth.tokens import Tokens, load_secret
from peerline.errors import AuthError, ConfigError, RemoteProtocolError

SECRET = "s" * 43


@pytest.mark.parametrize(
    ("typed", "u", "n"),
    [
        ("Ann", "ann", "Ann"),
        ("  Ann \t Lee ", "ann lee", "Ann Lee"),
        ("Ａｎｎ", "ann", "Ａｎｎ"),
        ("STRASSE", "strasse", "STRASSE"),
        ("Straße", "strasse", "Straße"),
        ("王小明", "王小明", "王小明"),
        ("e\u0301", "é", "é"),
    ],
)
def test_a_name_has_one_canonical_form(typed: str, u: str, n: str) -> None:
    assert parse_name(typed) == (u, n)


@pytest.mark.parametrize("typed", ["", "   ", "a/b", "a\u200bb", "a\x00", "\u202eevil", "x" * 65, "℀"])
def test_a_name_that_could_deceive_or_break_an_address_is_refused_with_a_hint(typed: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        parse_name(typed)
    assert refused.value.code == "bad"
    assert refused.value.hint


@given(st.text(max_size=80))
def test_the_canonical_form_of_a_canonical_form_is_itself(typed: str) -> None:
    try:
        u, _ = parse_name(typed)
    except RemoteProtocolError:
        return
    try:
        again, _ = parse_name(u)
    except RemoteProtocolError:
        return  # folding may make a name longer than a name may be
    assert again == u


def test_only_a_hash_of_a_key_is_comparable() -> None:
    assert hash_key("k" * 22) == hash_key("k" * 22)
    assert hash_key("k" * 22) != hash_key("l" * 22)
    assert "k" * 22 not in hash_key("k" * 22)
    assert same("a", "a")
    assert not same("a", "b")


def test_a_token_says_who_until_when_with_which_rights() -> None:
    tokens = Tokens(SECRET)
    grant = tokens.check(tokens.create("Ann", rights=["admin"], ttl_s=60))
    assert (grant.name, grant.rights) == ("Ann", ("admin",))


def test_tokens_that_are_expired_foreign_unsigned_or_garbage_are_refused_without_being_quoted() -> None:
    tokens = Tokens(SECRET)
    claims = {"iss": "peerline", "name": "Ann", "exp": 2**40}
    bad = [
        tokens.create("Ann", ttl_s=-1),
        Tokens("t" * 43).create("Ann"),
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims | {"iss": "other"}, SECRET, algorithm="HS256"),
        jwt.encode({"iss": "peerline", "name": "Ann"}, SECRET, algorithm="HS256"),
        jwt.encode(claims | {"name": 5}, SECRET, algorithm="HS256"),
        jwt.encode(claims, SECRET, algorithm="HS512"),
        "garbage",
        "",
        "a.b.c",
    ]
    for token in bad:
        with pytest.raises(AuthError) as refused:
            tokens.check(token)
        assert refused.value.code == "auth"
        assert not token or token not in str(refused.value)


def test_a_right_that_does_not_exist_cannot_be_given() -> None:
    with pytest.raises(ConfigError):
        Tokens(SECRET).create("Ann", rights=["root"])


def test_the_secret_is_made_once_and_is_the_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = load_secret(folder)
    assert load_secret(folder) == first
    assert stat.S_IMODE((folder / "secrets.toml").stat().st_mode) == 0o600
    (folder / "secrets.toml").write_text("token = 'short'")
    with pytest.raises(ConfigError):
        load_secret(folder)
