"""Checks of the helpdesk and of the service catalog."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar

from ...domain.catalog import ServiceCatalog
from ...domain.catalog_lint import lint
from ...domain.wording import counted
from ...errors import InputError, ServiceError
from ..check import CheckResult
from ..ports import CatalogSource, Clock, Helpdesk

SourceKind = Literal["stdin", "file", "server"]
"""Where a source is read from."""


class CatalogCopy(Protocol):
    """The catalog that an earlier run kept, and when its source last confirmed it (UTC)."""

    @property
    def catalog(self) -> ServiceCatalog: ...

    @property
    def confirmed_at(self) -> datetime: ...


K = TypeVar("K", bound=CatalogCopy)


class CatalogCache(Protocol[K]):
    """Keeps the last catalog, which replaces the current one while its server is down."""

    @property
    def max_stale(self) -> timedelta:
        """How long after its confirmation the kept catalog may be used."""

    def read_copy(self) -> K | None:
        """The kept catalog, however old; None when there is none. Raises InputError when it is damaged."""

    def is_usable(self, kept: K, /) -> bool:
        """Whether the kept catalog may be used now."""


def probe_helpdesk(
    helpdesk: Helpdesk, kind: SourceKind, preview: Callable[[], Iterable[str]], *, online: bool
) -> Iterator[CheckResult]:
    """The number of tickets in the queue and, when `online`, the lines of `preview`: one ticket as it is understood.

    A server is asked only when `online`; stdin is never read.
    """
    if kind == "stdin":
        yield CheckResult("helpdesk", "not checked: the tickets come from stdin")
    elif kind == "server" and not online:
        yield CheckResult("helpdesk", "not asked: --online asks it for the queue")
    else:
        tickets = helpdesk.fetch_tickets()
        yield CheckResult("helpdesk", f"it answers, with {counted(len(tickets), 'ticket')}")
        if online:
            yield from (CheckResult("helpdesk", line) for line in preview())


def probe_catalog(
    source: CatalogSource, cache: CatalogCache[K], kind: SourceKind, clock: Clock
) -> Generator[CheckResult, None, ServiceCatalog | None]:
    """Results for the catalog, for the kept one, and for what is probably a mistake in the catalog.

    Returns the catalog that a run would use; None for stdin, which is never read. Raises what fetching it raises.
    """
    if kind == "stdin":
        yield CheckResult("catalog", "not checked: it comes from stdin")
        return None
    kept = (yield from _kept(cache)) if kind == "server" else None
    catalog = yield from _usable(source, cache, kept, clock)
    categories = len({entry.category for entry in catalog.entries})
    yield CheckResult("catalog", f"{counted(len(catalog.entries), 'request type')} in {categories:,} categories")
    for remark in lint(catalog):
        yield CheckResult("catalog", remark.what, "warning" if remark.fix else "ok", remark.fix)
    return catalog


def _kept(cache: CatalogCache[K]) -> Generator[CheckResult, None, K | None]:
    try:
        return cache.read_copy()
    except InputError as error:
        yield CheckResult.warning(
            "catalog", f"{error}: no catalog can be used while its server is down", "The next run writes it again."
        )
        return None


def _usable(
    source: CatalogSource, cache: CatalogCache[K], kept: K | None, clock: Clock
) -> Generator[CheckResult, None, ServiceCatalog]:
    """The current catalog, or the kept one if the server is down."""
    try:
        catalog = source.fetch_catalog()
    except ServiceError as error:
        if kept is None or not cache.is_usable(kept):
            raise
        yield CheckResult.warning(
            "catalog",
            f"{error}: runs use the catalog of the last run until {_utc(kept.confirmed_at + cache.max_stale)}",
            "Have the server repaired before.",
        )
        return kept.catalog
    if kept:
        yield _age(kept, cache, clock())
    return catalog


def _age(kept: K, cache: CatalogCache[K], now: datetime) -> CheckResult:
    at = _utc(kept.confirmed_at)
    if kept.confirmed_at > now:
        fix = "Check the clock of this machine; the next run keeps the catalog again."
        return CheckResult.warning("catalog", f"the kept catalog is of {at}, which is in the future", fix)
    if not cache.is_usable(kept):
        return CheckResult("catalog", f"a catalog of {at} is kept, but is too old to be used while the server is down")
    until = _utc(kept.confirmed_at + cache.max_stale)
    return CheckResult("catalog", f"a catalog of {at} is kept, and can be used until {until} while the server is down")


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
