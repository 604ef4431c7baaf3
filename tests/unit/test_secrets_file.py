"""`secrets.toml`: made once, the owner's only, and clear about what is wrong with it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from peerline.auth.secrets_file import has_secret, load_secrets
from peerline.auth.tokens import load_secret
from peerline.errors import ConfigError

LONG = "x" * 32


def test_each_secret_is_made_once_beside_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert not has_secret(folder, "turn")
    turn, token = load_secrets(folder, "turn"), load_secret(folder)
    assert [token] != turn
    assert load_secrets(folder, "turn") == turn
    assert load_secret(folder) == token
    assert has_secret(folder, "turn")
    assert stat.S_IMODE((folder / "secrets.toml").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["secrets.toml"]


def test_several_stand_newest_first(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text(f'turn = ["{LONG}1", "{LONG}2"]')
    assert load_secrets(tmp_path, "turn") == [LONG + "1", LONG + "2"]


def test_what_the_operator_wrote_stays_when_a_secret_is_added(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text(f'# mine\ntoken = "{LONG}"\n[other]\nturn = "not this one"')
    made = load_secrets(tmp_path, "turn")
    assert load_secrets(tmp_path, "turn") == made
    assert load_secret(tmp_path) == LONG
    assert path.read_text().endswith(f'# mine\ntoken = "{LONG}"\n[other]\nturn = "not this one"\n')


def test_processes_that_start_at_once_use_the_same(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        found = list(pool.map(load_secrets, [tmp_path] * 16, ["turn", "token"] * 8))
    assert found[::2] == [load_secrets(tmp_path, "turn")] * 8
    assert found[1::2] == [load_secrets(tmp_path, "token")] * 8


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("turn = 'short'", "no usable turn secret", "Remove the line"),
        ("turn = []", "no usable turn secret", "Remove the line"),
        ("turn = 5", "no usable turn secret", "Remove the line"),
        (f"turn = ['{LONG}', 'short']", "no usable turn secret", "Remove the line"),
        (f"turn = '{LONG}", "damaged", "new secrets are made"),
        ("\0\x01", "damaged", "new secrets are made"),
    ],
)
def test_a_damaged_file_is_refused_and_none_of_it_is_repeated(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    (tmp_path / "secrets.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as refused:
        load_secrets(tmp_path, "turn")
    assert hint in (refused.value.hint or "")
    assert refused.value.code == "config"
    assert LONG not in str(refused.value)
    assert (tmp_path / "secrets.toml").read_text() == text


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_bytes(b"turn = '\xff\xfe'")
    with pytest.raises(ConfigError, match="damaged"):
        load_secrets(tmp_path, "turn")


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot be read|cannot write") as refused:
        load_secrets(tmp_path / "data", "turn")
    assert refused.value.hint


def test_a_file_that_is_a_folder_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read") as refused:
        load_secrets(tmp_path, "turn")
    assert refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="cannot write") as refused:
        load_secrets(folder, "turn")
    assert "--data-dir" in (refused.value.hint or "")


def test_others_who_may_read_it_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_secrets(tmp_path, "turn")
    load_secrets(tmp_path, "turn")
    assert not caplog.records
    (tmp_path / "secrets.toml").chmod(0o644)
    load_secrets(tmp_path, "turn")
    assert "can be read by others" in caplog.text
