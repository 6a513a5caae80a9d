"""The certificate authorities that HTTP clients trust."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import httpx

from ..errors import SettingsError


def trusted_authorities() -> ssl.SSLContext:
    """Returns the context for all clients: the authorities that SSL_CERT_FILE or SSL_CERT_DIR names, or certifi's.

    Raises SettingsError when they cannot be read.
    """
    try:
        return _loaded(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        raise SettingsError(
            f"the certificates that the environment names cannot be read: {error.strerror or error}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from error


@lru_cache(maxsize=1)
def _loaded(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Cached, because reading some 140 certificates takes longer than most requests."""
    return httpx.create_ssl_context()
