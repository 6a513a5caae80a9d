"""Options that several commands have: one name, one meaning and one sentence for each.

Their order is the same everywhere: what is read, what is written and how, who chooses, what is done otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..settings.classifier import ClassifierName

ListFormat = Literal["table", "json", "csv"]

ListFormatOption = Annotated[ListFormat, typer.Option("--format", help="How to print it.")]
ClassifierOption = Annotated[
    ClassifierName | None,
    typer.Option(help="Who chooses the request types. [default: CLASSIFIER, or gemini]"),
]
ExamplesOption = Annotated[
    Path | None,
    typer.Option(
        "--examples", metavar="PATH", help="Labelled tickets of your desk, which show the classifier how you label."
    ),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Ask anew, whatever was answered before.")]
WaitOption = Annotated[
    float, typer.Option(min=0.0, metavar="SECONDS", help="How long to wait for another ticketattr to end.")
]
SendOldOption = Annotated[
    bool, typer.Option("--send-old", help="Where the report log is gone, send what lies there, however old.")
]
