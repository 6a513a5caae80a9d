"""The process of tests/crash_runner.py, which starts programs and kills them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import CLI


class Runner:
    """The process that starts and kills children."""

    def __init__(self) -> None:
        path = Path(__file__).with_name("crash_runner.py")
        self.process = subprocess.Popen(
            [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(
        self, cli: CLI, *arguments: str, window: str = "send", kill_at: int = 0, kill_after: float | None = None
    ) -> tuple[int, list[str]]:
        """How the child ended, and the steps that it took during the window if it lived."""
        assert self.process.stdin
        assert self.process.stdout
        order: dict[str, Any] = {"folder": str(cli.folder), "arguments": arguments, "settings": cli.settings}
        order |= {"window": window, "kill_at": kill_at} if kill_after is None else {"kill_after": kill_after}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer["exit"], answer["steps"]

    def end(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
