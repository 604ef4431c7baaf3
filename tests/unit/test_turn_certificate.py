"""The certificate of TURN over TLS: what is refused, and how a new one comes into use."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from client.certificates import DAY, make_certificate
from peerline.errors import ConfigError
from peerline.turnserver.certificate import (
    Certificate,
    CertificateFiles,
    CertificateWatch,
    certificate_files,
    look_again,
)


def files(folder: Path, name: str = "server") -> CertificateFiles:
    return CertificateFiles(*make_certificate(folder, name))


def test_certificate_and_key_are_read_from_two_files_or_from_one(tmp_path: Path) -> None:
    of_two = files(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(of_two.key.read_bytes() + of_two.chain.read_bytes())
    loaded = of_two.load()
    assert loaded == CertificateFiles(both, both).load()
    assert loaded.chain.startswith(b"-----BEGIN CERTIFICATE")
    assert b"PRIVATE" not in loaded.chain
    assert b"PRIVATE" in loaded.key
    assert "PRIVATE" not in repr(loaded)


def test_the_whole_chain_is_kept_in_its_order(tmp_path: Path) -> None:
    own, above = files(tmp_path), files(tmp_path, "above")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(own.chain.read_bytes() + b"a note\n" + above.chain.read_bytes())
    assert CertificateFiles(chain, own.key).load().chain == own.chain.read_bytes() + above.chain.read_bytes()


def test_one_without_the_other_is_refused(tmp_path: Path) -> None:
    some = tmp_path / "file.pem"
    assert certificate_files(None, None) is None
    assert certificate_files(some, some) == CertificateFiles(some, some)
    for pair, flag in (((some, None), "--turn-key"), ((None, some), "--turn-cert")):
        with pytest.raises(ConfigError, match="without") as refused:
            certificate_files(*pair)
        assert flag in (refused.value.hint or "")


def test_what_cannot_be_used_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    good, other = files(tmp_path), files(tmp_path, "other")
    expired = CertificateFiles(*make_certificate(tmp_path, "expired", begins_in=-2 * DAY, ends_in=-DAY))
    future = CertificateFiles(*make_certificate(tmp_path, "future", begins_in=DAY, ends_in=2 * DAY))
    locked = CertificateFiles(*make_certificate(tmp_path, "locked", password=b"secret"))
    empty, garbage = tmp_path / "empty.pem", tmp_path / "garbage.pem"
    empty.write_bytes(b"")
    garbage.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    no_key = tmp_path / "no.key"
    no_key.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    missing = tmp_path / "missing.pem"
    for wrong, message, named in (
        (CertificateFiles(missing, good.key), "cannot be read", missing),
        (CertificateFiles(good.chain, missing), "cannot be read", missing),
        (CertificateFiles(tmp_path, good.key), "cannot be read", tmp_path),
        (CertificateFiles(empty, good.key), "no certificate", empty),
        (CertificateFiles(good.key, good.key), "no certificate", good.key),
        (CertificateFiles(good.chain, good.chain), "no private key", good.chain),
        (CertificateFiles(garbage, good.key), "cannot be read", garbage),
        (CertificateFiles(good.chain, no_key), "cannot be read", no_key),
        (CertificateFiles(good.chain, other.key), "is not that of", other.key),
        (locked, "encrypted", locked.key),
        (expired, "expired", expired.chain),
        (future, "not valid before", future.chain),
    ):
        with pytest.raises(ConfigError, match=message) as refused:
            wrong.load()
        assert str(named) in refused.value.message
        assert "BEGIN PRIVATE" not in refused.value.message


class Used:
    """What a server would have taken into use."""

    def __init__(self) -> None:
        self.all: list[Certificate] = []
        self.refuses = False

    def use(self, certificate: Certificate) -> None:
        if self.refuses:
            raise ValueError("the engine will not have it")
        self.all.append(certificate)


def replace(old: CertificateFiles, new: CertificateFiles) -> None:
    os.replace(new.chain, old.chain)
    os.replace(new.key, old.key)


def test_a_new_certificate_is_used_and_the_same_one_is_not_read_again(tmp_path: Path) -> None:
    served, used = files(tmp_path), Used()
    watch = CertificateWatch(served, used.use)
    assert not watch.look()
    replace(served, files(tmp_path, "new"))
    assert watch.look()
    assert not watch.look()
    assert used.all == [served.load()]
    assert watch.look(anyway=True), "somebody asked for it"


def test_a_broken_one_changes_nothing_and_is_warned_about_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served, used = files(tmp_path), Used()
    watch = CertificateWatch(served, used.use)
    new = files(tmp_path, "new")
    os.replace(new.chain, served.chain)  # its key is late, as with any tool that writes two files
    assert not watch.look()
    assert not watch.look()
    assert used.all == []
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert str(served.key) in caplog.text
    os.replace(new.key, served.key)
    assert watch.look()
    assert used.all == [served.load()]
    served.chain.unlink()
    assert not watch.look()
    used.refuses = True
    replace(served, files(tmp_path, "another"))
    assert not watch.look()
    assert len(used.all) == 1
    assert "the engine will not have it" in caplog.text


def test_who_asks_gets_it_read_again_from_other_files_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    served, other, used = files(tmp_path), files(tmp_path, "other"), Used()
    watch = CertificateWatch(served, used.use)
    look_again(watch, None)
    look_again(watch, other)
    look_again(watch, None)
    assert used.all == [served.load(), other.load(), other.load()]
    assert "restart" not in caplog.text
    look_again(None, None)
    assert "restart" not in caplog.text
    look_again(None, served)
    assert "TLS takes a restart" in caplog.text


async def test_it_looks_by_itself(tmp_path: Path) -> None:
    served = files(tmp_path)
    arrived: asyncio.Future[Certificate] = asyncio.get_running_loop().create_future()
    watch = CertificateWatch(served, arrived.set_result, every_s=0.01)
    watching = asyncio.ensure_future(watch.run())
    new = files(tmp_path, "new")
    os.replace(new.chain, served.chain)
    os.replace(new.key, served.key)
    async with asyncio.timeout(20):
        assert await arrived == served.load()
    watching.cancel()
