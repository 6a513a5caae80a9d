"""Cron expressions, read by cronsim, in the time zone of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo

from cronsim import CronSim, CronSimError

from ...errors import InputError

_HINT = "Write five fields, as in `30 6 * * 1-5`: minute, hour, day, month, day of the week."
_LONGEST = 200
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class CronExpressions:
    """Reads cron expressions in the time zone `zone`.

    As in Debian's cron: a time that does not exist on the night on which clocks go forward comes right after the gap,
    and a time that comes twice on the night on which they go back counts once.
    """

    zone: tzinfo

    def next_times(self, cron: str, after: datetime, count: int) -> Sequence[datetime]:
        if len(cron) > _LONGEST:
            raise InputError("the cron expression is too long", hint=_HINT)
        if len(cron.split()) != _FIELDS:
            # A sixth field would count seconds.
            raise InputError(f"{cron} is not a cron expression of five fields", hint=_HINT)
        try:
            times = CronSim(cron, after.astimezone(self.zone))
            return [next(times).astimezone(timezone.utc) for _ in range(count)]
        except CronSimError as error:
            raise InputError(f"{cron} is not a valid cron expression: {error}", hint=_HINT) from error
        except StopIteration:
            raise InputError(f"{cron} never comes true", hint=_HINT) from None
