"""Every failure that the user can do something about, with its exit code (docs/reference/exit-codes.md).

The message says what happened; the `hint` says what to do next. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of the program. 130 and 143 are 128 plus the number of SIGINT and SIGTERM."""

    DONE = 0
    """Done."""
    BUG = 1
    """A bug, with a traceback."""
    USAGE = 2
    """An option, setting, credential, URL or model name is missing or wrong."""
    INPUT = 3
    """An input is missing, or its content is wrong: stage file, catalog, helpdesk answer, workbook."""
    SERVICE = 4
    """An outside service failed or is busy, or another run is in progress: try again later."""
    PARTIAL = 5
    """Done in part: tickets stayed unattributed because something failed, reports are still pending, or changes in the
    helpdesk were not made."""
    INTERRUPTED = 130
    """Interrupted by SIGINT."""
    TERMINATED = 143
    """Interrupted by SIGTERM."""


class TicketAttrError(Exception):
    """The base class of all errors. It is never raised itself.

    `hint` says what the user can do; it is empty when the message says enough.
    """

    exit_code: ClassVar[ExitCode]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(TicketAttrError):
    """An option, a setting, a credential, a URL or a model name is missing or wrong."""

    exit_code = ExitCode.USAGE


class InputError(TicketAttrError):
    """An input is missing, or its content is wrong. Reading it again does not help."""

    exit_code = ExitCode.INPUT


class CatalogError(InputError):
    """The service catalog is not valid, so it cannot be used at all."""


class StageFileError(InputError):
    """A stage file is missing or damaged, or belongs to another version or another run."""


class ServiceError(TicketAttrError):
    """An outside service failed or is busy. The same call may succeed later."""

    exit_code = ExitCode.SERVICE


class MailServerError(ServiceError):
    """The mail server cannot be reached, or closed the connection before it accepted a message."""


class BusyError(ServiceError):
    """Another ticketattr is running. It records its own end."""
