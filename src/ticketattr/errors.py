"""Every failure that a user can act on, with its exit code (README, "Exit codes").

An error says what happened to what; its `hint` says what to do next. Anything that is not a
`TicketAttrError` is a bug and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    DONE = 0
    BUG = 1
    USAGE = 2
    INPUT = 3
    SERVICE = 4
    PARTIAL = 5
    INTERRUPTED = 130
    TERMINATED = 143


class TicketAttrError(Exception):
    """Base of all; never raised itself."""

    exit_code: ClassVar[ExitCode]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(TicketAttrError):
    """An option, a setting, a credential, a URL or a model name is missing or wrong."""

    exit_code = ExitCode.USAGE


class InputError(TicketAttrError):
    """What was read is missing or wrong in content; reading it again will not help."""

    exit_code = ExitCode.INPUT


class CatalogError(InputError):
    """The service catalog cannot be used, not even in part."""


class StageFileError(InputError):
    """A stage file is missing, damaged, of another version or of another run."""


class ServiceError(TicketAttrError):
    """Something outside failed or is busy; the same call may succeed later."""

    exit_code = ExitCode.SERVICE


class MailServerError(ServiceError):
    """The mail server cannot be had, or broke off before it had a message; it may be there at the next try."""


class BusyError(ServiceError):
    """Another ticketattr is at work, which will have its own say."""
