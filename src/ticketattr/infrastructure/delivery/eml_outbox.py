"""A mailer that writes each message as an `.eml` file into a folder, for machines without a mail server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...application.ports import Acceptance
from ...domain.delivery import Message, Transport
from ..files import make_folder, replacing
from .message import MailTemplate


@dataclass(frozen=True, slots=True)
class EMLOutbox:
    """The mailer and its session: a folder needs no connection."""

    transport: ClassVar[Transport] = "file"

    folder: Path
    template: MailTemplate

    @contextmanager
    def connect(self) -> Iterator[EMLOutbox]:
        """Create the folder if it does not exist. Raises SettingsError or ServiceError."""
        make_folder(self.folder)
        yield self

    def compose(self, message: Message) -> tuple[str, ...]:
        """The frame of a new message. Raises SettingsError if it is not valid."""
        return self.template.frame(message)

    def max_mail_size(self) -> None:
        """None: a file has no limit. Raises SettingsError or ServiceError if the folder cannot be used."""
        make_folder(self.folder)

    def send(self, message: Message, contents: Sequence[bytes], to: Sequence[str] = ()) -> Acceptance:
        """Write the message for all its recipients, whoever is in `to`."""
        path = self.folder / _file_name(message)
        content = self.template.compose(message, contents)
        with replacing(path) as file:
            file.write(content)
        return Acceptance(f"written to {path}", len(content))


def _file_name(message: Message) -> str:
    """The same name for a repetition, which therefore replaces the file of the first attempt."""
    identity = message.message_id.strip("<>").partition("@")[0].rpartition(".")[2]
    return f"{message.date:%Y%m%dT%H%M%SZ}-{identity[:8]}.eml"
