"""Learns from 10,000 and from 100,000 tickets: `python -m tests.bench.learning [HISTORY CATALOG]`.

The tickets of HISTORY (`.jsonl`) are repeated, each time perturbed in another way: swapped words, typing errors,
casing, and phrases before and after. Without arguments, they are those of the gold sets. Prints CPU seconds, peak
memory and the size of the model, how they grow, and how long 1,000 tickets take with the model and without it. Linux
only.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GOLD = ROOT / "tests" / "data" / "gold"
FEW, MANY, ASKED, ROUNDS, SEED = 10_000, 100_000, 1_000, 3, 20
TEXTS = ("id", "short_description", "long_description")
FIRST, MINUTES_APART = datetime(2024, 1, 1, tzinfo=timezone.utc), 10
BEFORE = ("Hello,", "Hi team,", "Good morning,", "FW:", "Re:", "Urgent:", "Question:", "As I said on the phone:")
AFTER = (
    *("Thanks!", "Thank you in advance.", "Please help.", "Best regards", "It is urgent.", "Can you call me back?"),
    *(
        "It worked yesterday.",
        "My colleague has the same.",
        "I am in the office until five.",
        "Nobody answered so far.",
    ),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    cpu: float
    peak_mb: float


def main(history: str = "", catalog: str = "") -> None:
    paths = [Path(history).absolute()] if history else [GOLD / "others.jsonl", GOLD / "further.jsonl"]
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    entries = Path(catalog).absolute() if catalog else GOLD / "catalog.yaml"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = (learned(folder, rows, entries, count) for count in (FEW, MANY))
        size = (folder / f"{MANY}.model").stat().st_size / 1e6
        print(
            f"learn, {MANY:,} tickets: {many.cpu:.0f} CPU s, {many.cpu / few.cpu:.1f} x those of {FEW:,} "
            f"({few.cpu:.0f}); peak memory {many.peak_mb:.0f} MB ({few.peak_mb:.0f} MB for {FEW:,}); "
            f"model {size:.1f} MB"
        )
        model = {"OFFLINE_MODEL": f"{MANY}.model"}
        # With their labels, they would keep them.
        asked = ({name: row[name] for name in TEXTS} for row in islice(perturbed(rows, SEED + 1), ASKED))
        write(folder / "asked.jsonl", asked)
        costs = [(classified(folder, entries, {}), classified(folder, entries, model)) for _ in range(ROUNDS)]
        without, with_it = (min(cost.cpu for cost in side) for side in zip(*costs, strict=True))
        print(
            f"offline classifier, {ASKED:,} tickets with that model: {with_it:.1f} CPU s, {with_it / without:.2f} x "
            f"without it ({without:.1f})"
        )


def learned(folder: Path, rows: Sequence[Mapping[str, Any]], catalog: Path, count: int) -> Cost:
    write(folder / f"{count}.jsonl", islice(perturbed(rows, SEED), count))
    return program(folder, "learn", f"{count}.jsonl", "--catalog", str(catalog), "--output", f"{count}.model")


def classified(folder: Path, catalog: Path, settings: Mapping[str, str]) -> Cost:
    command = ("classify", "-i", "asked.jsonl", "--catalog", str(catalog), "-o", "answers.json")
    return program(folder, *command, CLASSIFIER="offline", **settings)


def program(folder: Path, *arguments: str, **settings: str) -> Cost:
    process = subprocess.Popen(
        [sys.executable, "-m", "ticketattr", *arguments],
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def perturbed(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """All rows in random order, again and again without end, the same for the same seed. No text comes unchanged."""
    chance = random.Random(seed)  # noqa: S311  # the same each time
    number = 0
    while True:
        for row in chance.sample(rows, len(rows)):
            text = str(row["short_description"])
            yield {
                **row,
                "id": f"T-{number}",
                "short_description": other_words(text, chance),
                "created_at": (FIRST + timedelta(minutes=MINUTES_APART * number)).isoformat(),
            }
            number += 1


def other_words(text: str, chance: random.Random) -> str:
    words = text.split()
    if len(words) > 2 and chance.random() < 0.5:
        place = chance.randrange(len(words) - 1)
        words[place : place + 2] = reversed(words[place : place + 2])
    if words and chance.random() < 0.7:
        place = chance.randrange(len(words))
        words[place] = mistyped(words[place], chance)
    text = " ".join(words)
    text = chance.choice((str, str, str.lower, str.upper, str.capitalize))(text)
    before = chance.choice(BEFORE) if chance.random() < 0.4 else ""
    after = " ".join(chance.sample(AFTER, chance.randrange(1, 3)))
    return f"{before} {text} {after}".strip()


def mistyped(word: str, chance: random.Random) -> str:
    """The word with a letter that is left out, doubled, or swapped with the next one."""
    if len(word) < 3:
        return word
    place = chance.randrange(len(word) - 1)
    one, two = word[place], word[place + 1]
    return word[:place] + chance.choice((two, one + one + two, two + one)) + word[place + 2 :]


if __name__ == "__main__":
    main(*sys.argv[1:])
