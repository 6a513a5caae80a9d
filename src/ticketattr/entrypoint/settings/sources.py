"""Settings of the helpdesk and of the service catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ...infrastructure.files import STREAM
from ...infrastructure.options import HelpdeskAccess, HTTPPolicy
from .environment import Environment

_DEFAULT = HTTPPolicy()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where tickets and catalog come from. `catalog_max_stale`: the age up to which a copy of the catalog is used."""

    helpdesk: HelpdeskAccess
    catalog_location: str
    http: HTTPPolicy
    catalog_max_stale: timedelta

    @classmethod
    def read(cls, env: Environment) -> SourceSettings:
        """Read the settings; `env` collects what is missing or wrong."""
        helpdesk, catalog_location = _helpdesk_access(env), env.required("SERVICE_CATALOG_URL", may_be_path=True)
        if helpdesk.location == catalog_location == str(STREAM):
            env.wrong.append("HELPDESK_API_URL and SERVICE_CATALOG_URL cannot both be stdin")
        return cls(
            helpdesk=helpdesk,
            catalog_location=catalog_location,
            http=HTTPPolicy(
                max_retries=env.whole("HTTP_MAX_RETRIES", _DEFAULT.max_retries, least=0, most=20),
                backoff_factor=env.decimal("HTTP_BACKOFF_FACTOR", _DEFAULT.backoff_factor, most=60.0),
                timeout=env.decimal("HTTP_TIMEOUT", _DEFAULT.timeout, least=0.1),
            ),
            catalog_max_stale=timedelta(hours=env.decimal("CATALOG_MAX_STALE", 24.0)),
        )


def _helpdesk_access(env: Environment) -> HelpdeskAccess:
    location = env.required("HELPDESK_API_URL", may_be_path=True)
    if not location.lower().startswith(("http://", "https://")):
        return HelpdeskAccess(location)
    return HelpdeskAccess(location, env.secret("HELPDESK_API_KEY"), env.secret("HELPDESK_API_SECRET"))
