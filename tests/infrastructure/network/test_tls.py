"""Which certificate authorities are trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.network.tls import trusted_authorities


def test_the_certificates_are_read_once() -> None:
    assert trusted_authorities() is trusted_authorities()


def test_the_environment_names_other_authorities(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    usual = trusted_authorities().cert_store_stats()["x509_ca"]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert trusted_authorities().cert_store_stats()["x509_ca"] == 1 < usual


@pytest.mark.parametrize("kind", ["missing folder", "pipe", "folder"])
def test_a_key_log_that_cannot_be_written_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = {"missing folder": tmp_path / "no" / "keys", "pipe": tmp_path / "pipe", "folder": tmp_path}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    monkeypatch.setenv("SSLKEYLOGFILE", str(path))
    with pytest.raises(SettingsError, match="SSLKEYLOGFILE"):
        trusted_authorities()


def test_a_pipe_of_certificates_is_refused_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pipe"))
    with pytest.raises(SettingsError, match="a pipe or a device"):
        trusted_authorities()


def test_certificates_that_cannot_be_read_are_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(SettingsError) as error:
        trusted_authorities()
    assert "SSL_CERT_FILE" in error.value.hint
