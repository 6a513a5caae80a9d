"""Options that several commands have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..session import ClassifierChoice


class ListFormat(str, Enum):
    table = "table"
    json = "json"
    csv = "csv"


ClassifierOption = Annotated[
    ClassifierChoice | None, typer.Option(help="Who chooses the request types. [default: CLASSIFIER, or gemini]")
]


ExamplesOption = Annotated[
    Path | None,
    typer.Option("--examples", help="Labelled tickets of your desk, which show the classifier how you label."),
]


FreshOption = Annotated[bool, typer.Option("--fresh", help="Ask anew, whatever was answered before.")]
WaitOption = Annotated[
    float, typer.Option(min=0.0, metavar="SECONDS", help="How long to wait for another ticketattr to end.")
]
SendOldOption = Annotated[
    bool, typer.Option("--send-old", help="Where the report log is gone, send what lies there, however old.")
]
