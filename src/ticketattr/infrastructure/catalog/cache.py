"""The last good catalog, kept so that an unchanged one is not sent again and a run survives a server that is down.

    {"kind": "catalog_cache", "schema_version": 1, "location", "etag", "last_modified", "confirmed_at", "content"}

`location` is a digest, since a URL may hold secrets; `content` is the YAML as it came. A file of another location,
a damaged one, or one that cannot be written is done without: it saves time, nothing depends on it.
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

_FEW = 0.5
"""The share of the entries before below which a catalog is taken to have got worse."""


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
class KeptCatalog:
    """What the source last gave, and when it last said that it still holds."""

    file: _File
    catalog: ServiceCatalog

    @property
    def confirmed_at(self) -> datetime:
        return self.file.confirmed_at

    @property
    def validators(self) -> Validators:
        return Validators(self.file.etag, self.file.last_modified)


@dataclass(frozen=True, slots=True)
class CachedCatalog:
    """`source`, with what it last gave in the file `path`.

    When its server cannot be had, what it last gave is good for `max_stale` after it was last confirmed.
    """

    source: YAMLCatalog
    path: Path
    max_stale: timedelta
    clock: Clock

    def fetch_catalog(self) -> ServiceCatalog:
        last = self._read()
        try:
            answer = self.source.request(last.validators if last else NO_VALIDATORS)
        except ServiceError as error:
            return self._fall_back(last, error)
        if last and answer.is_unchanged:
            self._keep(last.file.content, answer.validators)
            return last.catalog
        catalog = self.source.parse(answer.content)
        if last:
            _warn_of_loss(catalog, last.catalog)
        self._keep(answer.content.decode("utf-8-sig"), answer.validators)
        return catalog

    def kept(self) -> KeptCatalog | None:
        """What would stand in for it, were it young enough. Raises InputError when that is damaged."""
        if not self.path.exists():
            return None
        try:
            file = _ADAPTER.validate_python(parse_json(read_bounded(self.path, _LARGEST), str(self.path)))
            if (file.kind, file.schema_version, file.location) != (_KIND, SCHEMA_VERSION, self._digest):
                return None
            return KeptCatalog(file, self.source.parse(file.content.encode()))
        except (InputError, ValidationError) as error:
            raise InputError(f"{self.path} is damaged") from error

    def is_good(self, kept: KeptCatalog) -> bool:
        # An age below nothing says that the clock was set: then nobody knows how old it is.
        return timedelta(0) <= self.clock() - kept.confirmed_at <= self.max_stale

    def _fall_back(self, last: KeptCatalog | None, error: ServiceError) -> ServiceCatalog:
        if last is None:
            raise error
        confirmed_at = last.confirmed_at
        if not self.is_good(last):
            raise ServiceError(
                f"{error}; the one of {confirmed_at:%Y-%m-%d %H:%M} UTC is too old to stand in for it",
                hint="Try again later, or let older ones stand in (CATALOG_MAX_STALE).",
            ) from error
        log.warning("%s: the one of %s UTC stands in for it", error, f"{confirmed_at:%Y-%m-%d %H:%M}")
        return last.catalog

    def _read(self) -> KeptCatalog | None:
        try:
            return self.kept()
        except InputError as error:
            log.warning("%s and not used; it is made anew", error)
            return None

    def _keep(self, content: str, validators: Validators) -> None:
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
            with replacing(self.path) as kept:
                kept.write(dump_json(_ADAPTER.dump_python(file, mode="json")))
        except TicketAttrError as error:
            log.warning("the service catalog is not kept for later: %s", error)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.source.location.encode("utf-8", "surrogateescape")).hexdigest()


def _warn_of_loss(catalog: ServiceCatalog, before: ServiceCatalog) -> None:
    if len(catalog.entries) < _FEW * len(before.entries):
        log.warning(
            "the service catalog has %d request types, and had %d at the last run: tickets of the others will be"
            " attributed to what is left",
            len(catalog.entries),
            len(before.entries),
        )
