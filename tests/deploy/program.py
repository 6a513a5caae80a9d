"""A fake ticketattr, to test its schedulers."""

from __future__ import annotations

from pathlib import Path

HOME = "/srv/ticketattr"
"""The folder that docs/how-to/operations.md uses."""


def install(folder: Path, *, exit_code: int) -> Path:
    """A program that prints its arguments to stderr and exits with that code."""
    path = folder / ".venv" / "bin" / "ticketattr"
    path.parent.mkdir(parents=True)
    path.write_text(
        "#!/bin/sh\n"
        'echo "output/report.xlsx"\n'
        'echo "ticketattr $* in $PWD, logging to $LOG_FILE" >&2\n'
        "echo '41 of 43 tickets attributed' >&2\n"
        f"exit {exit_code}\n",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path
