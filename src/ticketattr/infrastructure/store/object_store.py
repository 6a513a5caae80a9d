"""A store of reports in S3, Google Cloud Storage, Azure, or a folder, through obstore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import ObjectStore as Store
from obstore.store import from_url

from ...errors import InputError, ServiceError, SettingsError
from ..network.service_words import service_words

_TIMEOUT = timedelta(seconds=30)
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
_MAX_REPORT = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The store at a URL. Every call connects anew."""

    store: Store

    def put_new(self, key: str, content: bytes) -> bool:
        with _errors():
            try:
                obstore.put(self.store, key, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def keys(self, prefix: str) -> list[str]:
        with _errors():
            return sorted(str(item["path"]) for chunk in obstore.list(self.store, prefix) for item in chunk)

    def read(self, key: str) -> bytes:
        with _errors():
            found = obstore.get(self.store, key)
            if int(found.meta["size"]) > _MAX_REPORT:
                raise InputError(f"{key} in the store is larger than {_MAX_REPORT:,} bytes, so it is no report")
            return found.bytes().to_bytes()

    def remove(self, key: str) -> None:
        with _errors():
            try:
                obstore.delete(self.store, key)
            except (NotFoundError, FileNotFoundError):
                return


def open_store(url: str, options: Mapping[str, str]) -> ObjectStore:
    """The store at `url` (s3://, gs://, az://, file://). Raises SettingsError for a URL or an option that is not valid.

    `options` are those of obstore, such as `aws_endpoint`; what they leave out comes from the environment.
    """
    given: dict[str, Any] = dict(options)
    client = {"timeout": _TIMEOUT, "allow_http": given.pop("allow_http", "false") == "true"}
    try:
        if url.lower().startswith("file://"):
            if given:
                raise SettingsError("REPORT_STORE_OPTIONS are not for a store in a folder", hint="Leave them empty.")
            return ObjectStore(from_url(url, mkdir=True))
        return ObjectStore(
            from_url(url, client_options=cast("Any", client), retry_config=cast("Any", _RETRIES), **given)
        )
    except UnknownConfigurationKeyError as error:
        raise SettingsError(
            "REPORT_STORE_OPTIONS has a name that this store does not know",
            hint="The documentation of obstore lists the names for each kind of store.",
        ) from error
    except (BaseError, ValueError, OSError) as error:
        raise SettingsError(
            f"REPORT_STORE_URL is not the URL of a store: {_first_line(error)}",
            hint="Write, for example, s3://bucket/folder, gs://bucket, az://container or file:///srv/reports.",
        ) from error


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise SettingsError(
            f"the store of reports refuses access: {_first_line(error)}",
            hint="Check REPORT_STORE_OPTIONS, and the rights of that account.",
        ) from error
    except (NotFoundError, FileNotFoundError) as error:
        raise InputError(f"a file is not in the store of reports: {_first_line(error)}") from error
    except (BaseError, OSError) as error:
        raise ServiceError(
            f"the store of reports cannot be used: {_first_line(error)}",
            hint="Try again later, or check REPORT_STORE_URL.",
        ) from error


def _first_line(error: Exception) -> str:
    """What the store says, without the dump of its state that follows."""
    return service_words(str(error).partition("\n")[0])
