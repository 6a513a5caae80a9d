"""A copy of the last catalog: an unchanged catalog is not sent again, and a run survives if its server is down.

    {"kind": "catalog_cache", "schema_version": 1, "location", "etag", "last_modified", "confirmed_at", "content"}

`location` is a digest, because a URL may hold secrets; `content` is the YAML as it came. A run does not need the copy:
it ignores one that is damaged or belongs to another location, and goes on if it cannot write one.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from ...application.ports import Clock
from ...domain.catalog import ServiceCatalog
from ...errors import InputError, ServiceError, TicketAttrError
from ..files import read_bounded, replacing
from ..json_text import dump_json, parse_json
from .source import NO_VALIDATORS, Validators, YAMLCatalog
from .yaml_format import MAX_BYTES

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1

_KIND = "catalog_cache"
_LARGEST = 6 * MAX_BYTES + 64 * 1024  # JSON may take six bytes for one of the YAML

_SUSPICIOUS_SHARE = 0.5
"""A warning tells about a catalog that has less than this share of its earlier entries."""


@checked_dataclass(frozen=True)
class _File:
    kind: str
    schema_version: int
    location: str
    etag: str
    last_modified: str
    confirmed_at: AwareDatetime
    content: str


_ADAPTER = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class CatalogCopy:
    """The catalog that the source last sent."""

    file: _File
    catalog: ServiceCatalog

    @property
    def confirmed_at(self) -> datetime:
        """When the source last said that this copy is current, in UTC."""
        return self.file.confirmed_at

    @property
    def validators(self) -> Validators:
        """The validators that came with this copy."""
        return Validators(self.file.etag, self.file.last_modified)


@dataclass(frozen=True, slots=True)
class CachedCatalog:
    """The catalog of `source`, with a copy of it in the file `path`.

    If the server of the source is down, the copy replaces it, until `max_stale` after the copy was last confirmed.
    """

    source: YAMLCatalog
    path: Path
    max_stale: timedelta
    clock: Clock

    def fetch_catalog(self) -> ServiceCatalog:
        copy = self._read()
        try:
            response = self.source.request(copy.validators if copy else NO_VALIDATORS)
        except ServiceError as error:
            return self._fall_back(copy, error)
        if copy and response.is_unchanged:
            self._write(copy.file.content, response.validators)
            return copy.catalog
        catalog = self.source.parse(response.content)
        if copy:
            _warn_of_loss(catalog, copy.catalog)
        self._write(response.content.decode("utf-8-sig"), response.validators)
        return catalog

    def read_copy(self) -> CatalogCopy | None:
        """The copy, however old it is, or None if there is none. Raises InputError if it is damaged."""
        if not self.path.exists():
            return None
        try:
            file = _ADAPTER.validate_python(parse_json(read_bounded(self.path, _LARGEST), str(self.path)))
            if (file.kind, file.schema_version, file.location) != (_KIND, SCHEMA_VERSION, self._digest):
                return None
            return CatalogCopy(file, self.source.parse(file.content.encode()))
        except (InputError, ValidationError) as error:
            raise InputError(f"{self.path} is damaged") from error

    def is_usable(self, copy: CatalogCopy) -> bool:
        """Whether the copy is young enough to replace a catalog that its server does not send."""
        # If the age is negative, the clock was set, and nobody knows the true age.
        return timedelta(0) <= self.clock() - copy.confirmed_at <= self.max_stale

    def _fall_back(self, copy: CatalogCopy | None, error: ServiceError) -> ServiceCatalog:
        if copy is None:
            raise error
        confirmed_at = f"{copy.confirmed_at:%Y-%m-%d %H:%M} UTC"
        if not self.is_usable(copy):
            raise ServiceError(
                f"{error}; the copy of {confirmed_at} is too old to use",
                hint="Try again later, or allow older copies (CATALOG_MAX_STALE).",
            ) from error
        log.warning("%s: the run uses the copy of %s", error, confirmed_at)
        return copy.catalog

    def _read(self) -> CatalogCopy | None:
        try:
            return self.read_copy()
        except InputError as error:
            log.warning("%s, and is not used; this run writes it again", error)
            return None

    def _write(self, content: str, validators: Validators) -> None:
        file = _File(
            kind=_KIND,
            schema_version=SCHEMA_VERSION,
            location=self._digest,
            etag=validators.etag,
            last_modified=validators.last_modified,
            confirmed_at=self.clock(),
            content=content,
        )
        try:
            with replacing(self.path) as target:
                target.write(dump_json(_ADAPTER.dump_python(file, mode="json")))
        except TicketAttrError as error:
            log.warning("the copy of the service catalog cannot be written: %s", error)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.source.location.encode("utf-8", "surrogateescape")).hexdigest()


def _warn_of_loss(catalog: ServiceCatalog, before: ServiceCatalog) -> None:
    if len(catalog.entries) < _SUSPICIOUS_SHARE * len(before.entries):
        log.warning(
            "the service catalog has %d request types, and had %d at the last run: tickets of the others are"
            " attributed to the rest",
            len(catalog.entries),
            len(before.entries),
        )
