"""Options that several commands have: one name, one meaning and one sentence for each.

Their order is the same everywhere: what is read, what is written and how, who chooses, what is done otherwise.
"""

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


ListFormatOption = Annotated[ListFormat, typer.Option("--format", metavar="table|json|csv", help="How to print it.")]
ClassifierOption = Annotated[
    ClassifierChoice | None,
    typer.Option(
        metavar="gemini|offline|cascade", help="Who chooses the request types. [default: CLASSIFIER, or gemini]"
    ),
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
