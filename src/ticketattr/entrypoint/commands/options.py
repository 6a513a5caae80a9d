"""Options that several commands share, each with one name, one meaning and one help text.

Every command lists its options in the same order: input, output and its format, classifier, then the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..settings.classifier import ClassifierName

ListFormat = Literal["table", "json", "csv"]

CorrectionsFormat = Literal["table", "json", "csv", "jsonl"]

ListFormatOption = Annotated[ListFormat, typer.Option("--format", help="The format of the list on stdout.")]
ClassifierOption = Annotated[
    ClassifierName | None,
    typer.Option(help="The classifier that chooses request types. [default: CLASSIFIER, or gemini]"),
]
ExamplesOption = Annotated[
    Path | None,
    typer.Option("--examples", metavar="PATH", help="Labelled tickets of your desk, from which the classifier learns."),
]
CorrectionsFormatOption = Annotated[
    CorrectionsFormat,
    typer.Option("--format", help="The format on stdout; jsonl: the latest for each ticket, as gold for `evaluate`."),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Ignore answers of earlier runs, and ask again.")]
WaitOption = Annotated[
    float, typer.Option(min=0.0, metavar="SECONDS", help="Wait this long for another ticketattr to end.")
]
SendOldOption = Annotated[bool, typer.Option("--send-old", help="Without a report log, send old reports, too.")]
