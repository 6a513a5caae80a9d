"""What a run asks for something: helpdesk, catalog, classifiers, mail server."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...application.check import Finding
from ...application.ports import Clock
from ...domain.catalog import ServiceCatalog
from ...domain.catalog_lint import lint
from ...domain.gold import no_labelled_tickets
from ...errors import InputError, ServiceError
from ...infrastructure.files import STREAM
from ...infrastructure.locations import is_remote
from .. import wiring
from ..presentation.preview import preview_lines
from ..presentation.summaries import counted
from ..settings.classifier import ClassifierSettings
from ..settings.environment import Environment
from ..settings.folders import FolderSettings
from ..settings.mail import MailSettings, is_loopback
from ..settings.sources import SourceSettings
from .files import probe_folder

if TYPE_CHECKING:
    from ...infrastructure.catalog.cache import CachedCatalog, CatalogCopy

_STDIN = str(STREAM)
_SOON = timedelta(days=14)
"""How long before its end a certificate is talked about."""


@dataclass(frozen=True, slots=True)
class CatalogProbe:
    """Where the catalog comes from, and where the one of the last run is kept."""

    sources: SourceSettings
    folders: FolderSettings

    @classmethod
    def read(cls, env: Environment) -> CatalogProbe:
        return cls(SourceSettings.read(env), FolderSettings.read(env))


@dataclass(slots=True)
class ProbedCatalog:
    """The catalog as it was found, for whoever looks at what depends on it; None: none was found."""

    catalog: ServiceCatalog | None = None


def probe_catalog(desk: CatalogProbe, clock: Clock, seen: ProbedCatalog) -> Iterator[Finding]:
    location = desk.sources.catalog_location
    if location == _STDIN:
        yield Finding("catalog", "not looked at: it comes from stdin")
        return
    source = wiring.catalog_source(_impatient(desk.sources), desk.folders, clock)
    kept = (yield from _kept(source)) if is_remote(location) else None
    seen.catalog = catalog = yield from _catalog(source, kept)
    categories = len({entry.category for entry in catalog.entries})
    yield Finding("catalog", f"{counted(len(catalog.entries), 'request type')} in {categories:,} categories")
    for remark in lint(catalog):
        yield Finding("catalog", remark.what, "warning" if remark.fix else "ok", remark.fix)


def _kept(source: CachedCatalog) -> Generator[Finding, None, CatalogCopy | None]:
    try:
        return source.read_copy()
    except InputError as error:
        yield Finding.warning("catalog", f"{error}: nothing stands in for the catalog", "The next run makes it anew.")
        return None


def _catalog(source: CachedCatalog, kept: CatalogCopy | None) -> Generator[Finding, None, ServiceCatalog]:
    """As it is now, or the one that would stand in for it."""
    try:
        catalog = source.source.fetch_catalog()
    except ServiceError as error:
        if kept is None or not source.is_usable(kept):
            raise
        until = f"{kept.confirmed_at + source.max_stale:%Y-%m-%d %H:%M} UTC"
        yield Finding.warning(
            "catalog", f"{error}: the one of the last run stands in for it until {until}", "Have it mended before."
        )
        return kept.catalog
    if kept:
        yield _age(kept, source)
    return catalog


def _age(kept: CatalogCopy, source: CachedCatalog) -> Finding:
    at = f"{kept.confirmed_at:%Y-%m-%d %H:%M} UTC"
    if kept.confirmed_at > source.clock():
        fix = "Check the clock of this machine; the next run keeps the catalog anew."
        return Finding.warning("catalog", f"the kept one is of {at}, which is yet to come", fix)
    if not source.is_usable(kept):
        return Finding("catalog", f"the one of {at} is kept, too old to stand in for it")
    until = f"{kept.confirmed_at + source.max_stale:%Y-%m-%d %H:%M} UTC"
    return Finding("catalog", f"the one of {at} is kept, good until {until}")


def probe_helpdesk(settings: SourceSettings, *, online: bool) -> Iterator[Finding]:
    """Whether its profile can be used and, if asked, whether it answers, with one ticket as it is understood."""
    location = settings.helpdesk.location
    helpdesk = wiring.helpdesk(_impatient(settings))
    if location == _STDIN:
        yield Finding("helpdesk", "not asked: tickets come from stdin")
    elif is_remote(location) and not online:
        yield Finding("helpdesk", "not asked: --online asks it for the queue")
    else:
        tickets = helpdesk.fetch_tickets()
        yield Finding("helpdesk", f"it answers, with {counted(len(tickets), 'ticket')}")
        if online:
            yield from (Finding("helpdesk", line) for line in preview_lines(helpdesk.preview(1)))


def probe_embedded_classifier(settings: ClassifierSettings) -> Iterator[Finding]:
    if settings.name not in ("offline", "cascade"):
        return
    _try(ClassifierSettings("offline", llm=None))
    yield Finding("embedded classifier", "it answers")


def probe_model(settings: ClassifierSettings, *, online: bool) -> Iterator[Finding]:
    llm = settings.llm
    if llm is None:
        return
    if online:
        _try(ClassifierSettings(llm.provider, llm.without_retries()))
        yield Finding("model", f"{llm.model} answers")
    else:
        yield Finding("model", f"{llm.model}, not asked: --online asks it one small question")


def probe_calibration(settings: ClassifierSettings, seen: ProbedCatalog) -> Iterator[Finding]:
    if settings.calibration is None:
        return
    from ...infrastructure.classifiers.calibrated import read_calibration

    file = read_calibration(settings.calibration)
    yield Finding("calibration", f"{settings.calibration} was fitted on {counted(file.tickets, 'ticket')}")
    if seen.catalog is None:
        return
    if not file.fits(wiring.uncalibrated(settings, no_labelled_tickets), seen.catalog):
        yield Finding.warning(
            "calibration",
            f"{settings.calibration} was made for another classifier or catalog, and is not used",
            "Make it anew with `ticketattr evaluate --save-calibration`, unless you run with --examples.",
        )


def probe_mail(settings: MailSettings, clock: Clock) -> Iterator[Finding]:
    """All that can be seen without sending anything."""
    server = settings.destination
    if isinstance(server, Path):
        yield probe_folder("mail", "EMAIL_OUTBOX_DIR", server)
        return
    info = wiring.smtp_mailer(settings, server).server_info()
    login = f", the login of {server.username}" if server.username else ""
    size = f"; a mail may have {info.max_size:,} bytes" if info.max_size else ""
    encryption = " over TLS" if server.use_tls else ""
    yield Finding("mail", f"{server.host}:{server.port}{encryption} takes the sender{login}{size}")
    if not server.use_tls and not is_loopback(server.host):
        yield Finding.warning("mail", "mails travel in plain text", "Set EMAIL_USE_TLS=true if the server offers it.")
    end = info.certificate_end
    if end and end - clock() < _SOON:
        left = counted(max(0, (end - clock()).days), "day")
        yield Finding.warning(
            "mail", f"the certificate of {server.host} ends in {left}, on {end:%Y-%m-%d}", "Have it renewed before."
        )


def _try(settings: ClassifierSettings) -> None:
    from ...infrastructure.classifiers.smoke_test import smoke_test

    smoke_test(wiring.uncalibrated(settings, no_labelled_tickets))


def _impatient(settings: SourceSettings) -> SourceSettings:
    """A check says how things stand now; whoever has to wait for that learns it by a run."""
    return replace(settings, http=replace(settings.http, max_retries=0))
