"""Fuzz the parsers with atheris, which is guided by branch coverage.

`python -m tests.fuzz [--seconds N] [PARSER …]`. If an input breaks a promise, the program exits and prints that input.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from .parsers import PARSERS
from .promise import SECONDS

_MEMORY_MB = 2_048
_LONGEST = 16_384
_LAST = 4_000


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=600.0, help="the total time for all parsers")
    options.add_argument("parsers", nargs="*", default=list(PARSERS), metavar="PARSER", help=", ".join(PARSERS))
    chosen = options.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed (pip install '.[fuzz]'), so nothing was fuzzed")
        return
    for name in chosen.parsers:
        print(f"{name}: {follow(name, chosen.seconds / len(chosen.parsers))}", flush=True)


def follow(name: str, seconds: float) -> str:
    """The last line of libFuzzer. Raises SystemExit if it found a failing input."""
    parser = PARSERS[name]
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        for number, content in enumerate((*parser.seeds, *parser.words)):
            (corpus / str(number)).write_bytes(content)
        words.write_text("".join(f'"{_escape(word)}"\n' for word in parser.words), encoding="ascii")
        bounds = (f"-max_total_time={round(seconds)}", f"-timeout={3 * round(SECONDS)}", f"-max_len={_LONGEST}")
        places = (f"-rss_limit_mb={_MEMORY_MB}", f"-dict={words}", f"-artifact_prefix={folder}/found-", str(corpus))
        command = (sys.executable, "-m", "tests.fuzz.following", name, *bounds, *places)
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        found = [file.read_bytes() for file in Path(folder).glob("found-*")]
    if ended.returncode or found:
        raise SystemExit(f"{name}: {ended.stdout[-_LAST:]}\n{ended.stderr[-_LAST:]}\ninput: {found}")
    return next((line for line in reversed(ended.stderr.splitlines()) if line.startswith("Done")), "no summary")


def _escape(word: bytes) -> str:
    """A word for the dictionary of libFuzzer, where it has at most 64 bytes."""
    return "".join(f"\\x{byte:02x}" for byte in word[:64])


if __name__ == "__main__":
    main()
