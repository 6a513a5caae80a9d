"""Which certificate authorities are trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.tls import trusted_authorities


def test_the_certificates_are_read_once() -> None:
    assert trusted_authorities() is trusted_authorities()


def test_the_environment_names_other_authorities(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    usual = trusted_authorities().cert_store_stats()["x509_ca"]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert trusted_authorities().cert_store_stats()["x509_ca"] == 1 < usual


def test_certificates_that_cannot_be_read_are_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(SettingsError) as error:
        trusted_authorities()
    assert "SSL_CERT_FILE" in error.value.hint
