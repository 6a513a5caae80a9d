"""JSON Schemas of the files that people write (docs/reference/formats.md), for editors."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Literal

Schema = Literal["catalog", "profile", "tickets"]


def schema_url(name: Schema) -> str:
    """The file: URL of a schema, as an editor takes it."""
    with as_file(files(__package__) / f"{name}.schema.json") as path:
        return path.as_uri()
