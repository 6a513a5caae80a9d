"""The certificate authorities that HTTP clients trust, and what the environment says about TLS."""

from __future__ import annotations

import os
import ssl
import stat
from functools import lru_cache
from pathlib import Path

import httpx

from ...errors import SettingsError

_KEY_LOG, _FILE, _FOLDER = "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"


def trusted_authorities() -> ssl.SSLContext:
    """Returns the context for all clients: the authorities that SSL_CERT_FILE or SSL_CERT_DIR names, or certifi's.

    Raises SettingsError when they cannot be read.
    """
    refuse_unusable_key_log()
    try:
        _refuse_pipe(_FILE)
        return _loaded(os.environ.get(_FILE), os.environ.get(_FOLDER), os.environ.get(_KEY_LOG))
    except OSError as error:
        raise SettingsError(
            f"the certificates that the environment names cannot be read: {error.strerror or error}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from error


def authorities_of(path: str, setting: str) -> ssl.SSLContext:
    """Returns the context for clients that trust the authorities in the file `path` only, which `setting` names.

    Raises SettingsError when they cannot be read.
    """
    refuse_unusable_key_log()
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise OSError(None, "it is not a file")
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = error.strerror if error.errno else "it contains no certificate"
        raise SettingsError(
            f"{setting} cannot be used: {path}: {reason}",
            hint=f"Set {setting} to a file with certificates (PEM), or leave it empty.",
        ) from error


def refuse_unusable_key_log() -> None:
    """Raise SettingsError if Python cannot write the keys of connections to SSLKEYLOGFILE, as it is asked to."""
    path = os.environ.get(_KEY_LOG)
    if not path:
        return
    try:
        _refuse_pipe(_KEY_LOG)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = path
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or error
        raise SettingsError(
            f"the file that SSLKEYLOGFILE names cannot be written: {reason}",
            hint="Unset SSLKEYLOGFILE, or set it to a file that can be written.",
        ) from error


def _refuse_pipe(name: str) -> None:
    """Raise OSError if that variable names a pipe or a device, which may block for ever."""
    path = Path(os.environ.get(name) or ".")
    if path.exists() and not (path.is_dir() or stat.S_ISREG(path.stat().st_mode)):
        raise OSError(None, "it is not a file but a pipe or a device")


@lru_cache(maxsize=1)
def _loaded(file: str | None, folder: str | None, key_log: str | None) -> ssl.SSLContext:
    """Cached, because reading some 140 certificates takes longer than most requests."""
    return httpx.create_ssl_context()
