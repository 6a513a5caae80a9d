"""Settings for retention."""

from __future__ import annotations

from datetime import timedelta

from ...application.retention import Retention
from .environment import Environment

_LONGEST = 36_500.0


def read_retention(env: Environment) -> Retention:
    """WORK_RETENTION_DAYS and RETENTION_DAYS. Without the latter, sent reports are kept for ever."""
    reports = env.optional_decimal("RETENTION_DAYS", least=1.0, most=_LONGEST)
    return Retention(
        runs=timedelta(days=env.decimal("WORK_RETENTION_DAYS", 30.0, least=1.0, most=_LONGEST)),
        reports=None if reports is None else timedelta(days=reports),
    )
