"""Settings: file, environment, flags; clear errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from peerline.cli import main
from peerline.config import Config, load_config
from peerline.errors import ConfigError


def test_a_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "peerline.toml"
    file.write_text("port = 1\nhost = '0.0.0.0'\nstun-port = 5\n[limits]\nrate = 7\nburst = 8\n")
    environment = {
        "PEERLINE_PORT": "2",
        "PEERLINE_HOST": "::1",
        "PEERLINE_LIMITS_RATE": "9.5",
        "PEERLINE_UNRELATED": "x",
    }
    config = load_config(file, environment, {"port": 3})
    assert (config.port, config.host, config.stun_port) == (3, "::1", 5)
    assert (config.limits.rate, config.limits.burst) == (9.5, 8)


def test_nothing_given_means_the_defaults() -> None:
    assert load_config(None, {}) == Config()


def test_limits_of_the_relay_are_settings_of_a_table_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "peerline.toml"
    file.write_text("rest_secret = ['new', 'old']\nturn-cert = 'a.pem'\n[turn-limits]\nallocations = 3\n")
    environment = {"PEERLINE_TURN_LIMITS_CHANNELS": "7", "PEERLINE_TURN": "no", "PEERLINE_TURN_KEY": "b.pem"}
    config = load_config(file, environment)
    assert (config.turn_limits.allocations, config.turn_limits.channels, config.turn) == (3, 7, False)
    assert (config.turn_cert, config.turn_key) == (Path("a.pem"), Path("b.pem"))
    assert config.rest_secret == ("new", "old")


def test_secrets_are_in_no_repr() -> None:
    shown = repr(Config(token_secret="sesame", rest_secret=("sesame",), turn_user=("ann:sesame",)))
    assert "sesame" not in shown


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[turn_limits]\nallocation = 1", "[turn_limits]", "'allocations'"),
        ("[turn_limits]\npermissions = -1", "permissions", None),
        ("turn_tls_port = 65536", "turn_tls_port", "65535"),
        ("prot = 1", "'prot'", "'port'"),
        ("[limits]\nrat = 1", "[limits]", "'rate'"),
        ("port = 'x'", "port", None),
        ("port = 70000", "port", "65535"),
        ("port = -1", "port", None),
        ("lan = 'perhaps'", "lan", None),
        ("auth = 'magic'", "'open', 'token'", None),
        ("limits = 5", "table", None),
        ("allowed_origins = 5", "list", None),
        ("port = ", "peerline.toml", None),
    ],
)
def test_a_wrong_setting_says_where_and_what_would_be_right(
    tmp_path: Path, text: str, message: str, hint: str | None
) -> None:
    file = tmp_path / "peerline.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load_config(file, {})
    assert message in wrong.value.message
    if hint is not None:
        assert hint in (wrong.value.hint or "")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["serve", "--help"], 0),
        ([], 2),
        (["nonsense"], 2),
        (["serve", "--port", "x"], 2),
    ],
)
def test_exit_codes_of_the_command(arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == code


def test_a_wrong_setting_exits_2_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "peerline.toml"
    file.write_text("prot = 1")
    assert main(["serve", "--config", str(file)]) == 2
    assert "Did you mean 'port'?" in capsys.readouterr().err


def test_token_create_prints_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "--name", "Ann", "--data-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.count(".") == 2
    assert main(["token", "create", "--name", "Ann", "--ttl", "soon", "--data-dir", str(tmp_path)]) == 2
    assert main(["token", "create", "--name", "a/b", "--data-dir", str(tmp_path)]) == 1
