"""`ticketattr learn`, and the classifier that uses what was learned."""

from __future__ import annotations

import io
import json
import random
import resource
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import openpyxl
import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI
from ..servers import HTTPServer, Response
from ..workbooks import tickets_table

TYPES = {
    "Zone A": "soup lunch kitchen cook menu",
    "Zone B": "badge gate visitor parking barrier",
    "Zone C": "piano choir stage microphone lamp",
    "Zone D": "bus ticket train refund journey",
}
CATALOG = "service_catalog:\n  catalog:\n    categories:\n    - name: House\n      requests:\n"
FILES = {"catalog": "catalog.yaml", "model": "desk.model"}


def catalog(cli: CLI, names: Iterable[str] = TYPES, category: str = "House") -> Path:
    path = cli.folder / FILES["catalog"]
    entries = "".join(f"      - name: {name}\n        sla: {{value: 1, unit: days}}\n" for name in names)
    path.write_text(CATALOG.replace("House", category) + entries, encoding="utf-8")
    return path


def rows(count: int, types: Iterable[str] = TYPES) -> list[dict[str, Any]]:
    """So many tickets of each type, made of two or three of its words, a ticket a day."""
    made: list[dict[str, Any]] = []
    for number in range(count):
        for name in types:
            words = TYPES[name].split()
            text = f"{words[number % 5]} {words[(number * 3 + 1) % 5]} case {number}"
            day = f"2026-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}T08:00:00Z"
            made.append(row(len(made), text, name, created_at=day))
    return made


def row(number: int, text: str, name: str, **more: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "short_description": text,
        "long_description": "",
        "request_category": "House",
        "request_type": name,
        **more,
    }


def history(cli: CLI, content: Iterable[dict[str, Any]], name: str = "history.jsonl") -> Path:
    path = cli.folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in content), encoding="utf-8")
    return path


def learn(cli: CLI, path: Path, *options: str) -> Any:
    return cli("learn", str(path), "--catalog", FILES["catalog"], "--output", FILES["model"], *options)


def refused(cli: CLI, path: Path, *options: str, exit_code: ExitCode = ExitCode.INPUT) -> str:
    result = learn(cli, path, "-q", *options)
    assert result.exit_code == exit_code, result.output
    assert not (cli.folder / FILES["model"]).exists()
    assert "hint: " in result.stderr
    return " ".join(result.stderr.split())


def answers(cli: CLI, *texts: str) -> list[str]:
    """The request types that the classifier chooses with the model."""
    cli.settings |= {"CLASSIFIER": "offline", "OFFLINE_MODEL": FILES["model"]}
    tickets = cli.folder / "asked.json"
    asked = [{"id": str(place), "short_description": text} for place, text in enumerate(texts)]
    tickets.write_text(json.dumps(asked), encoding="utf-8")
    cli.ok("classify", "-i", str(tickets), "--catalog", FILES["catalog"], "-o", "answers.json")
    content = json.loads((cli.folder / "answers.json").read_text(encoding="utf-8"))["data"]
    return [each["attribution"]["request_type"] for each in content]


def test_a_model_says_what_it_learned_and_what_it_reaches_and_the_classifier_uses_it(cli: CLI) -> None:
    catalog(cli)
    result = learn(cli, history(cli, rows(30)))
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == FILES["model"]
    for fact in (
        "learned from: 120 tickets of 4 request types, created from 2026-01-01 to 2026-02-02",
        "cross-validation: ",
        "latest fifth by time: ",
        "without learning: ",
    ):
        assert fact in result.stderr
    assert answers(cli, "the soup of the cook", "a visitor at the gate", "refund for the train") == [
        "Zone A",
        "Zone B",
        "Zone D",
    ]
    measured = cli.ok(
        *("evaluate", str(history(cli, rows(36)[120:], "later.jsonl")), "--catalog", FILES["catalog"]),
        *("--classifier", "offline", "--format", "json"),
    )
    content = json.loads(measured.stdout)
    assert content["calibration"] == "what desk.model measured"
    assert content["figures"]["pair_accuracy"]["value"] > 0.9


def test_learning_twice_gives_the_same_file(cli: CLI) -> None:
    catalog(cli)
    path = history(cli, rows(6))
    contents = []
    for _ in range(2):
        assert learn(cli, path).exit_code == 0
        contents.append((cli.folder / FILES["model"]).read_bytes())
    assert contents[0] == contents[1]
    assert (cli.folder / FILES["model"]).stat().st_mode & 0o777 == 0o600


def test_a_new_type_of_the_catalog_works_on_its_first_day_and_a_lost_one_is_not_chosen(cli: CLI) -> None:
    catalog(cli)
    assert learn(cli, history(cli, rows(8))).exit_code == 0
    catalog(cli, ["Zone A", "Zone B", "Zone D", "Broken coffee machine"])
    chosen = answers(cli, "soup from the kitchen", "the coffee machine is broken", "piano on the stage")
    assert chosen[:2] == ["Zone A", "Broken coffee machine"]
    assert "Zone C" not in chosen


def test_free_text_as_labels_is_listed_at_once_and_without_senseless_proposals(cli: CLI) -> None:
    catalog(cli, [f"Type number {number} of the house" for number in range(80)])
    free = [row(number, "soup", f"Mr Smith wants lunch, please, in room {number}") for number in range(4_000)]
    message = refused(cli, history(cli, [*free, row(4_000, "soup", "Type number 7 of house")]))
    assert "labels that are not in the catalog (4,001): House / Mr Smith" in message
    assert "--rename OLD=NEW." in message


def test_renamed_types_are_mapped_and_proposed(cli: CLI) -> None:
    catalog(cli, ["Zone A", "Zone B", "Zone C", "Zone Delta"])
    path = history(cli, rows(5))
    message = refused(cli, path)
    assert "labels that are not in the catalog (1): House / Zone D (5 tickets)" in message
    assert '--rename "House / Zone D=House / Zone Delta"' in message
    assert learn(cli, path, "--rename", "Zone D=House / Zone Delta").exit_code == 0
    assert answers(cli, "refund for the train journey") == ["Zone Delta"]
    (cli.folder / FILES["model"]).unlink()
    assert "'Nowhere' is not in the catalog" in refused(
        cli, path, "--rename", "Zone D=Nowhere", exit_code=ExitCode.USAGE
    )
    assert "it needs an old and a new name" in refused(cli, path, "--rename", "Zone D", exit_code=ExitCode.USAGE)
    left_out = learn(cli, path, "--ignore-unknown")
    assert left_out.exit_code == 0
    assert "left out: 5 tickets (labels that are not in the catalog)" in left_out.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rows(5, ["Zone A"]), "all tickets have the label House / Zone A"),
        ([row(1, "", "Zone A"), row(2, " . ", "Zone B")], "has no ticket with a text and a label"),
        ([{**row(1, "x", ""), "request_category": ""}], "has no ticket with a text and a label"),
    ],
    ids=["one type", "no text", "no label"],
)
def test_a_history_that_teaches_nothing_is_refused(cli: CLI, content: list[dict[str, Any]], message: str) -> None:
    catalog(cli)
    assert message in refused(cli, history(cli, content))


def test_small_types_empty_tickets_repetitions_and_wrong_labels_are_said_and_survived(cli: CLI) -> None:
    catalog(cli)
    content = rows(30, ["Zone A", "Zone B", "Zone D"])
    for place, each in enumerate(content):
        if place % 10 < 3:
            each["request_type"] = ["Zone A", "Zone B", "Zone D"][(place * 7) % 3]
    content += [row(900, "piano", "Zone C"), row(901, "", "Zone A"), row(902, "PIANO", "Zone C")]
    result = learn(cli, history(cli, content))
    assert result.exit_code == 0, result.output
    assert "left out: 1 ticket (no text)" in result.stderr
    assert "repeated: 1 ticket with the words of another one" in result.stderr
    assert "fewer than 5 tickets: House / Zone C" in result.stderr
    assert answers(cli, "soup for lunch, says the cook", "visitor with a badge", "the piano") == [
        "Zone A",
        "Zone B",
        "Zone C",
    ]


def test_a_damaged_or_foreign_model_is_refused_with_what_to_do(cli: CLI) -> None:
    catalog(cli)
    assert learn(cli, history(cli, rows(5))).exit_code == 0
    path = cli.folder / FILES["model"]
    good = path.read_bytes()
    other_version = good.replace(b'"classifier_version": ', b'"classifier_version": 9')
    cases = {
        b"": "is not a model",
        b"PK\x03\x04": "is not a model",
        good[: len(good) // 2]: "was cut or changed",
        good[:-5] + b"12345": "was cut or changed",
        good.replace(b"ticketattr-model 1\n", b"ticketattr-model 9\n"): "the format of another version",
        sealed(other_version): "was learned with version 9",
        sealed(good[:-2_000]): "is not a valid model",
        sealed(good.replace(b'"known"', b'"other"')): "is not a valid model",
        **{sealed(content): "is not a valid model" for content in with_damaged_arrays(good)},
    }
    cli.settings |= {"CLASSIFIER": "offline", "OFFLINE_MODEL": FILES["model"]}
    for content, message in cases.items():
        path.write_bytes(content)
        assert message in not_classified(cli), message
    path.unlink()
    assert "desk.model" in not_classified(cli)


def with_damaged_arrays(model: bytes) -> Iterator[bytes]:
    """The model with an archive that zipfile does not read, and with arrays of other shapes and types."""
    start = model.index(b"PK\x03\x04")
    head, archive = model[:start], model[start:]
    at = archive.index(b"PK\x01\x02")
    yield head + archive[: at + 6] + b"\xff" + archive[at + 7 :]  # needs version 25.5 of ZIP
    yield head + archive[: at + 10] + b"\x63" + archive[at + 11 :]  # an unknown compression
    yield head + archive[:60] + bytes(byte ^ 0x55 for byte in archive[60:90]) + archive[90:]
    for name, array in (("weights", np.float32(1)), ("seen", np.float64(1)), ("weights", HUGE)):
        yield head + with_array(archive, f"{name}.npy", array)


_SHAPE = b"{'descr': '<f4', 'fortran_order': False, 'shape': (70368744177664, 512), }"
HUGE = b"\x93NUMPY\x01\x00\x60\x00" + _SHAPE.ljust(95) + b"\n"
"""The header of an array of 128 PiB."""


def with_array(archive: bytes, name: str, array: Any) -> bytes:
    """The archive with another array of that name, or with its bytes."""
    content, made = io.BytesIO(), io.BytesIO()
    if isinstance(array, bytes):
        content.write(array)
    else:
        np.save(content, array)
    with ZipFile(io.BytesIO(archive)) as source, ZipFile(made, "w") as target:
        for member in source.namelist():
            target.writestr(member, content.getvalue() if member == name else source.read(member))
    return made.getvalue()


def sealed(content: bytes) -> bytes:
    """The same with a digest that fits, as somebody makes who changes the file on purpose."""
    from hashlib import sha256

    head, _, body = content.split(b"\n", 2)
    return head + b"\n" + sha256(body).hexdigest().encode() + b"\n" + body


def not_classified(cli: CLI) -> str:
    tickets = history(cli, [{"id": "1", "short_description": "soup"}], "asked.jsonl")
    result = cli("-q", "classify", "-i", str(tickets), "--catalog", FILES["catalog"], "-o", "answers.json")
    assert result.exit_code == ExitCode.INPUT, result.output
    assert not (cli.folder / "answers.json").exists()
    assert "hint: " in result.stderr
    return " ".join(result.stderr.split())


def test_a_model_for_another_catalog_is_refused(cli: CLI) -> None:
    catalog(cli)
    assert learn(cli, history(cli, rows(5))).exit_code == 0
    catalog(cli, ["North", "South", "Zone A"])
    cli.settings |= {"CLASSIFIER": "offline", "OFFLINE_MODEL": FILES["model"]}
    message = not_classified(cli)
    assert "learned for another catalog: 3 of its 4 request types are not in the catalog" in message


@pytest.mark.parametrize(
    ("bytes_each", "limit", "what"), [(0, 4_000, "desk.model"), (5_000, 60_000, "temporary")], ids=["model", "history"]
)
def test_a_full_disk_leaves_the_earlier_model_as_it_was(
    cli: CLI, monkeypatch: pytest.MonkeyPatch, bytes_each: int, limit: int, what: str
) -> None:
    catalog(cli)
    path = history(cli, [{**each, "long_description": "x" * bytes_each} for each in rows(5)])
    (cli.folder / FILES["model"]).write_bytes(b"the earlier model")
    (cli.folder / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(cli.folder / "temporary"))
    # In this process, because another one would load the embedded model anew, which takes a minute on a busy machine.
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
    try:
        ended = learn(cli, path, "-q")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert f"{what} cannot be written: File too large" in ended.stderr
    assert "hint: " in ended.stderr
    assert ("TMPDIR names another folder" in ended.stderr) == (what == "temporary")
    assert ended.exit_code == ExitCode.SERVICE
    assert (cli.folder / FILES["model"]).read_bytes() == b"the earlier model"
    assert not [*cli.folder.glob(".ticketattr-*"), *(cli.folder / "temporary").iterdir()]


def measured(cli: CLI, path: Path, *options: str) -> tuple[int, str]:
    """How many tickets were measured on, and what was said."""
    more = ("--catalog", FILES["catalog"], "--classifier", "offline", "--format", "json")
    result = cli.ok("evaluate", str(path), *more, *options)
    return json.loads(result.stdout)["figures"]["tickets"], " ".join(result.stderr.split())


def test_a_later_slice_of_time_is_measured_and_the_earlier_one_may_teach(cli: CLI) -> None:
    catalog(cli)
    content = rows(28)
    path = history(cli, [*content, {**content[0], "id": "again", "created_at": "2026-01-28T10:00:00Z"}])
    assert measured(cli, path, "--after", "2026-01-22")[0] == 29
    tickets, said = measured(cli, path, "--split", "time")
    assert tickets == 22
    assert "1 earlier ticket not learned from, because a later one has the same words" in said
    assert measured(cli, path, "--split", "time", "--after", "2026-01-15")[0] == 57
    for options, message in (
        (("--after", "soon"), "--after soon is not a date that can be read"),
        (("--after", "2027-01-01"), "no ticket was created after 2027-01-01"),
    ):
        result = cli("-q", "evaluate", str(path), "--catalog", FILES["catalog"], "--classifier", "offline", *options)
        assert message in result.stderr
        assert result.exit_code in (ExitCode.USAGE, ExitCode.INPUT)
    without = history(cli, [{**each, "created_at": ""} for each in content], "without.jsonl")
    result = cli("-q", "evaluate", str(without), "--catalog", FILES["catalog"], "--split", "time")
    assert (result.exit_code, "no ticket has a creation time" in result.stderr) == (ExitCode.INPUT, True)


def test_measuring_on_tickets_that_the_model_was_learned_from_is_said(cli: CLI) -> None:
    catalog(cli)
    path = history(cli, rows(5))
    assert learn(cli, path).exit_code == 0
    cli.settings |= {"OFFLINE_MODEL": FILES["model"]}
    later = history(cli, rows(7)[16:], "later.jsonl")
    assert (
        "4 tickets of 12 that are measured on are among those that the model was learned from"
        in measured(cli, later)[1]
    )


PROFILE = """\
name: Desk
verified: documentation
tickets:
  request: {path: /tickets}
  paging: {style: next_url, next: next}
  items: tickets
  open: state != 'closed'
  keep: [open]
  fields: {id: number, short_description: title, request_category: category, request_type: type, created_at: made}
"""


def test_closed_tickets_of_the_helpdesk_are_a_history_page_by_page(cli: CLI, http: HTTPServer) -> None:
    catalog(cli)
    (cli.folder / "desk.yaml").write_text(PROFILE, encoding="utf-8")
    closed = [
        {"number": each["id"], "title": each["short_description"], "state": "closed", "made": each["created_at"]}
        | {"category": "House", "type": each["request_type"]}
        for each in rows(4)
    ]
    still_open = {"number": "99", "title": "open one", "state": "open", "category": "House", "type": "Zone A"}
    unlabelled = {"number": "98", "title": "without a type", "state": "closed"}
    # A ticket came up while the pages were read, so that another one slid onto the second page.
    pages = {"/tickets": [*closed[:9], still_open], "/more": [*closed[8:], unlabelled]}

    def answer(path: str) -> Any:
        more = {"next": f"{http.url}/more"} if path == "/tickets" else {}
        return lambda _: Response(body={"tickets": pages[path], **more})

    http.routes |= {path: answer(path) for path in pages}
    cli.settings |= {"HELPDESK_PROFILE": "./desk.yaml", "HELPDESK_API_URL": http.url}
    result = learn(cli, Path("helpdesk"))
    assert result.exit_code == 0, result.output
    assert "learned from: 16 tickets of 4 request types" in result.stderr

    pages |= {path: [{**each, "state": "open"} for each in tickets] for path, tickets in pages.items()}
    assert "learned from: 17 tickets" in learn(cli, Path("helpdesk")).stderr
    del http.routes["/more"]
    result = learn(cli, Path("helpdesk"), "-q")
    assert (result.exit_code, "404" in result.stderr) == (ExitCode.USAGE, True), result.stderr


def test_audit_finds_wrong_labels_and_its_workbook_comes_back_as_corrections(cli: CLI) -> None:
    tickets = rows(50)
    wrong = random.Random(0).sample(tickets, len(tickets) // 5)  # noqa: S311  # the same each time
    names = list(TYPES)
    for each in wrong:
        each["request_type"] = names[(names.index(each["request_type"]) + 1) % len(names)]
    tickets += [row(900, "bus ticket for tomorrow", "Zone D"), row(901, "Bus ticket, for tomorrow!", "Zone A")]
    content, entries = history(cli, tickets), catalog(cli, [*TYPES, "Zone E"])

    result = cli.ok("learn", str(content), "--catalog", str(entries), "--audit", "audit.xlsx")

    first_fifth = tickets_table(cli.folder / "audit.xlsx")[: len(tickets) // 5]
    found = {each["id"] for each in first_fifth} & {each["id"] for each in wrong}
    assert len(found) >= 0.7 * len(wrong)
    assert "1 contradiction" in result.stderr
    assert "1 type with few tickets" in result.stderr
    assert not (cli.folder / "desk.model").exists()
    book = openpyxl.load_workbook(cli.folder / "audit.xlsx")
    book["Tickets"]["C2"] = first_fifth[0]["next_best"].removeprefix("House / ")
    book.save(cli.folder / "audit.xlsx")
    assert "1 correction imported" in cli.ok("corrections", "import", "audit.xlsx").stderr


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (rows(3, ["Zone A"]), ExitCode.INPUT, "all tickets have the label"),
        ([row(1, "soup", "Zone A"), row(2, "", "Zone B")], ExitCode.INPUT, "all tickets have the label"),
        ([row(1, "soup", "Zone A"), row(2, "gate", "Zone X")], ExitCode.INPUT, "not in the catalog"),
    ],
)
def test_history_that_cannot_be_audited_leaves_no_workbook(
    cli: CLI, content: list[dict[str, Any]], code: ExitCode, message: str
) -> None:
    result = cli("learn", str(history(cli, content)), "--catalog", str(catalog(cli)), "--audit", "audit.xlsx")

    assert result.exit_code == code
    assert message in result.stderr
    assert not (cli.folder / "audit.xlsx").exists()
    assert not (cli.folder / "work").exists()


def test_two_tickets_can_be_audited(cli: CLI) -> None:
    content = history(cli, [row(1, "soup", "Zone A"), row(2, "gate", "Zone B")])

    result = cli.ok("learn", str(content), "--catalog", str(catalog(cli)), "--audit", "audit.xlsx")

    assert "2 labels audited" in result.stderr


def test_learn_asks_what_to_write(cli: CLI) -> None:
    result = cli("learn", str(history(cli, rows(3))), "--catalog", str(catalog(cli)))

    assert result.exit_code == ExitCode.USAGE
    assert "--output" in result.stderr
    assert "--audit" in result.stderr
