"""Settings of the helpdesk and of the service catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial

from ...domain.time_zones import time_zone
from ...domain.times import DEFAULT_STYLE, TimeStyle, read_time
from ...infrastructure.files import STREAM
from ...infrastructure.options import FILTERS, WEBHOOK, Filter, HelpdeskAccess, HTTPPolicy
from .environment import Environment

_DEFAULT = HTTPPolicy()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where tickets and catalog come from. `catalog_max_stale`: the age up to which a copy of the catalog is used.

    `profile` is the name or the path of the profile of the helpdesk; `keep` says which tickets are kept (None: what the
    profile says). With `only_changes`, a helpdesk is asked for what changed since the last fetch. `times`: how the
    helpdesk writes times.
    """

    helpdesk: HelpdeskAccess
    profile: str
    keep: frozenset[Filter] | None
    only_changes: bool
    catalog_location: str
    http: HTTPPolicy
    catalog_max_stale: timedelta
    times: TimeStyle = DEFAULT_STYLE

    @property
    def is_file(self) -> bool:
        """Whether the tickets come from a file or stdin."""
        return _is_file(self.helpdesk)

    @classmethod
    def read(cls, env: Environment, *, with_catalog: bool = True) -> SourceSettings:
        """Read the settings; `env` collects what is missing or wrong. Without `with_catalog`, no catalog is needed."""
        helpdesk = _helpdesk_access(env)
        read_location = partial(env.required, may_be_path=True) if with_catalog else env.text
        catalog_location = read_location("SERVICE_CATALOG_URL")
        profile, keep = env.text("HELPDESK_PROFILE", WEBHOOK), _filters(env)
        if keep and profile == WEBHOOK and not _is_file(helpdesk):
            env.wrong.append("HELPDESK_KEEP needs another profile than webhook (HELPDESK_PROFILE)")
        if helpdesk.location == catalog_location == str(STREAM):
            env.wrong.append("HELPDESK_API_URL and SERVICE_CATALOG_URL cannot both be stdin")
        return cls(
            helpdesk=helpdesk,
            profile=profile,
            keep=keep,
            only_changes=env.choice("FETCH_SINCE", "ever", ("ever", "last")) == "last",
            catalog_location=catalog_location,
            http=HTTPPolicy(
                max_retries=env.whole("HTTP_MAX_RETRIES", _DEFAULT.max_retries, least=0, most=20),
                backoff_factor=env.decimal("HTTP_BACKOFF_FACTOR", _DEFAULT.backoff_factor, most=60.0),
                timeout=env.decimal("HTTP_TIMEOUT", _DEFAULT.timeout, least=0.1),
            ),
            catalog_max_stale=timedelta(hours=env.decimal("CATALOG_MAX_STALE", 24.0)),
            times=TimeSettings.read(env).times,
        )


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """How a helpdesk writes times."""

    times: TimeStyle

    @classmethod
    def read(cls, env: Environment) -> TimeSettings:
        """Read the settings; `env` collects what is wrong."""
        return cls(TimeStyle(_time_format(env), time_zone(env.time_zone("TIME_ZONE", "UTC"))))


def _is_file(access: HelpdeskAccess) -> bool:
    return not access.location.lower().startswith(("http://", "https://"))


def _helpdesk_access(env: Environment) -> HelpdeskAccess:
    location = env.required("HELPDESK_API_URL", may_be_path=True)
    if _is_file(access := HelpdeskAccess(location)):
        return access
    if env.text("HELPDESK_PROFILE", WEBHOOK) == WEBHOOK:
        return HelpdeskAccess(location, env.secret("HELPDESK_API_KEY"), env.secret("HELPDESK_API_SECRET"))
    # Which of the two are needed says the profile.
    return HelpdeskAccess(location, env.optional_secret("HELPDESK_API_KEY"), env.optional_secret("HELPDESK_API_SECRET"))


def _filters(env: Environment) -> frozenset[Filter] | None:
    words = [word.strip().lower() for word in env.text("HELPDESK_KEEP").split(",") if word.strip()]
    if not words:
        return None
    chosen = frozenset(name for name in FILTERS if name in words)
    if words != ["all"] and len(chosen) < len(words):
        env.wrong.append(f"HELPDESK_KEEP is neither all nor some of {', '.join(FILTERS)}: {', '.join(words)}")
    return chosen


def _time_format(env: Environment) -> str:
    """A form that `strptime` reads, with year, month and day in it."""
    form = env.text("TIME_FORMAT")
    if form:
        sample = datetime(2026, 11, 23, tzinfo=timezone.utc)
        found = read_time(sample.strftime(form), TimeStyle(form))
        if not found or found.date() != sample.date():
            env.wrong.append(f"TIME_FORMAT is not a form of a date like %d.%m.%Y %H:%M: {form}")
    return form
