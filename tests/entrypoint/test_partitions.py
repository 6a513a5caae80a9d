"""`classify` on any number of tickets: as a stream, and as partitions that are done once each and merged."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ticketattr import __version__
from ticketattr.infrastructure.classifiers.offline import classifier as offline

from ..conftest import CLI, DATA

TICKETS = json.loads((DATA / "tickets.json").read_text(encoding="utf-8"))["data"]["requests"]


def in_lines(path: Path, numbers: range) -> Path:
    lines = [json.dumps({**TICKETS[number % len(TICKETS)], "id": f"T-{number}"}) for number in numbers]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def parts(cli: CLI) -> Path:
    """A folder with three partitions of five tickets, and all 15 in one file."""
    folder = cli.folder / "in"
    folder.mkdir()
    for number in range(3):
        in_lines(folder / f"part-{number}.jsonl", range(number * 5, number * 5 + 5))
    in_lines(cli.folder / "all.jsonl", range(15))
    return folder


def done(cli: CLI, *more: str, code: int = 0, pattern: str = "in/part-*.jsonl") -> str:
    result = cli("classify", "-i", pattern, "-o", "out/", *more)
    assert result.exit_code == code, result.output
    return result.stderr


def refused(cli: CLI, *args: str, code: int = 3) -> str:
    result = cli(*args)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stderr


def answers(path: Path) -> list[bytes]:
    """The tickets of a merged file, as bytes."""
    return path.read_bytes().splitlines()[1:-1]


def files(cli: CLI) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cli.folder / "out").iterdir()}


# Plans


def test_the_plan_of_a_stream_says_what_is_asked_and_how_long_it_takes(cli: CLI, parts: Path) -> None:
    in_lines(cli.folder / "many.jsonl", range(300))
    plan = cli.ok("classify", "-i", "many.jsonl", "-o", "many.parquet", "--plan").stdout
    asked = "4 different texts to ask about in 1 batch"
    assert plan.startswith(f"300 tickets: 60 keep their pair, 0 answered before, {asked}\n")
    assert plan.endswith("about 1 second of one processor core\n")
    assert not (cli.folder / "many.parquet").exists()


def test_the_plan_of_partitions_is_that_of_those_which_are_not_done(cli: CLI, parts: Path) -> None:
    def plan() -> str:
        return cli.ok("classify", "-i", "in/part-*.jsonl", "-o", "out/", "--plan").stdout

    before = plan()
    assert before.startswith("15 tickets: ")
    assert before.endswith("in 3 of 3 partitions; the others are done\n")
    assert not (cli.folder / "out").exists()
    done(cli, pattern="in/part-[01].jsonl")
    after = plan()
    assert after.startswith("5 tickets: ")
    assert after.endswith("in 1 of 3 partitions; the others are done\n")


def test_the_plan_of_a_model_says_hours_price_and_quota(cli: CLI, parts: Path) -> None:
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_REQUESTS_PER_MINUTE": "2", "LLM_BATCH_SIZE": "1"}
    cli.settings |= {"LLM_MAX_COST": "0.000001"}
    lines = [json.dumps({"id": str(number), "short_description": f"Printer {number}"}) for number in range(400)]
    (cli.folder / "many.jsonl").write_text("\n".join(lines))
    plan = cli.ok("classify", "-i", "many.jsonl", "-o", "many.parquet", "--plan").stdout
    assert "about 400 calls, " in plan
    assert re.search(r"\d USD; in a batch job \d", plan)
    assert "about 3.3 hours with the limits that are set; all calls and tokens count against the quota" in plan
    assert "in at least 1 batch job: answers mostly within 24 hours" in plan
    assert plan.endswith("LLM_MAX_COST is 1e-06 USD: what is not paid for by then is left for the next run\n")


# Streams


def test_a_stream_has_the_outcomes_of_a_run_that_is_read_whole(cli: CLI, parts: Path) -> None:
    whole = cli.ok("classify", "-i", "all.jsonl", "-o", "whole.json")
    stream = cli.ok("classify", "-i", "all.jsonl", "-o", "stream.jsonl")
    expected = json.loads((cli.folder / "whole.json").read_text(encoding="utf-8"))["data"]
    assert [json.loads(line) for line in answers(cli.folder / "stream.jsonl")] == expected
    assert whole.stderr.splitlines()[-1] == stream.stderr.splitlines()[-1] == "15 of 15 tickets attributed"


def test_a_stream_of_a_fetched_run_belongs_to_that_run(cli: CLI) -> None:
    cli.ok("fetch")
    cli.ok("classify", "-o", "stream.jsonl")
    (run,) = (cli.folder / "work").glob("2*")
    header = json.loads((cli.folder / "stream.jsonl").read_bytes().splitlines()[0])
    assert header["run_id"] == run.name


def test_tickets_come_from_parquet_too(cli: CLI, parts: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [json.loads(line) for line in (cli.folder / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    names = ("id", "short_description", "long_description", "requester_email")
    table = arrow.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    parquet.write_table(table, cli.folder / "all.parquet", row_group_size=4)
    cli.ok("classify", "-i", "all.parquet", "-o", "stream.jsonl")
    cli.ok("classify", "-i", "all.jsonl", "-o", "lines.jsonl")
    found, expected = (answers(cli.folder / name) for name in ("stream.jsonl", "lines.jsonl"))
    assert [json.loads(line)["ticket"]["id"] for line in found] == [f"T-{number}" for number in range(15)]
    assert [json.loads(line)["ticket"]["short_description"] for line in found] == [
        json.loads(line)["ticket"]["short_description"] for line in expected
    ]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_report_on_a_stream_has_the_rows_of_one_that_is_read_whole(cli: CLI, parts: Path, format: str) -> None:
    pytest.importorskip("pyarrow")
    cli.ok("classify", "-i", "all.jsonl", "-o", "stream.jsonl")
    cli.ok("report", "-i", "stream.jsonl", "--format", format, "-o", f"stream.{format}")
    lines = (cli.folder / "stream.jsonl").read_bytes().splitlines()
    whole = {**json.loads(lines[0]), "data": [json.loads(line) for line in lines[1:-1]]}
    (cli.folder / "whole.json").write_text(json.dumps(whole), encoding="utf-8")
    result = cli.ok("report", "-i", "whole.json", "--format", format, "-o", f"whole.{format}")
    assert "15 rows written" in result.stderr
    assert (cli.folder / f"stream.{format}").read_bytes() == (cli.folder / f"whole.{format}").read_bytes()


def test_rows_are_in_the_order_of_a_report_when_they_do_not_fit_into_memory(
    cli: CLI, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("classify", "-i", "all.jsonl", "-o", "stream.jsonl")
    cli.ok("report", "-i", "stream.jsonl", "--format", "csv", "-o", "one.csv")
    monkeypatch.setattr("ticketattr.infrastructure.reports.sorted_rows.IN_MEMORY", 2)
    monkeypatch.setattr("ticketattr.infrastructure.reports.sorted_rows.MERGED", 3)
    cli.ok("report", "-i", "stream.jsonl", "--format", "csv", "-o", "two.csv")
    assert (cli.folder / "one.csv").read_bytes() == (cli.folder / "two.csv").read_bytes()


def test_a_workbook_is_made_of_a_stream(cli: CLI, parts: Path) -> None:
    cli.ok("classify", "-i", "all.jsonl", "-o", "stream.jsonl")
    assert "15 rows written" in cli.ok("report", "-i", "stream.jsonl").stderr
    assert len(cli.reports) == 1


def test_a_bad_line_is_named_and_nothing_is_written(cli: CLI, parts: Path) -> None:
    with (cli.folder / "all.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "T-15", "short_desc')
    said = refused(cli, "classify", "-i", "all.jsonl", "-o", "stream.jsonl")
    assert "all.jsonl, line 16, is not valid JSON" in said
    assert not (cli.folder / "stream.jsonl").exists()


# Partitions


def test_partitions_that_are_merged_are_one_process_over_all_tickets_byte_for_byte(cli: CLI, parts: Path) -> None:
    cli.ok("classify", "-i", "all.jsonl", "-o", "one.jsonl")
    assert "3 of 3 partitions done (0 before): 15 of 15 tickets attributed" in done(cli)
    said = cli.ok("merge", "out/", "-i", "in/part-*.jsonl")
    assert "3 partitions merged: 15 of 15 tickets attributed" in said.stderr
    assert answers(cli.folder / "out" / "attributions.jsonl") == answers(cli.folder / "one.jsonl")
    assert (
        "15 rows written" in cli.ok("report", "-i", "out/attributions.jsonl", "--format", "csv", "-o", "a.csv").stderr
    )


def test_a_second_run_does_what_is_missing_alone(cli: CLI, parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done(cli)
    before = files(cli)
    (cli.folder / "out" / "part-1.manifest.json").unlink()
    (cli.folder / "out" / "part-2.attributions.jsonl").unlink()
    assert "3 of 3 partitions done (1 before)" in done(cli)
    assert files(cli) == before
    monkeypatch.setattr(offline.OfflineClassifier, "choose", None)
    assert "3 of 3 partitions done (3 before)" in done(cli)


def test_processes_that_do_one_partition_each_make_the_same_files(cli: CLI, parts: Path) -> None:
    done(cli)
    expected = {name: content for name, content in files(cli).items() if name.endswith(".attributions.jsonl")}
    shutil.rmtree(cli.folder / "out")
    for number in (2, 0, 1):
        done(cli, pattern=f"in/part-{number}.jsonl")
    assert {name: content for name, content in files(cli).items() if name.endswith(".attributions.jsonl")} == expected


def test_a_partition_that_changed_is_done_again(cli: CLI, parts: Path) -> None:
    done(cli)
    in_lines(parts / "part-1.jsonl", range(5, 9))
    said = refused(cli, "merge", "out/", "-i", "in/part-*.jsonl")
    assert "part-1.jsonl changed since it was classified" in said
    assert "3 of 3 partitions done (2 before): 14 of 14 tickets" in done(cli)
    cli.ok("merge", "out/", "-i", "in/part-*.jsonl")


def test_a_partition_that_was_only_touched_is_not_done_again(cli: CLI, parts: Path) -> None:
    done(cli)
    (parts / "part-1.jsonl").touch()
    assert "(3 before)" in done(cli)


def test_the_others_are_done_when_a_partition_is_cut(cli: CLI, parts: Path) -> None:
    content = (parts / "part-1.jsonl").read_bytes()
    (parts / "part-1.jsonl").write_bytes(content[:-20])
    said = done(cli, code=5)
    assert "not done: part-1: in/part-1.jsonl, line 5, is not valid JSON" in said
    assert "2 of 3 partitions done" in said
    assert "1 partition of 3 not done: part-1" in refused(cli, "merge", "out/")
    (parts / "part-1.jsonl").write_bytes(content)
    assert "3 of 3 partitions done (2 before)" in done(cli)


def test_a_single_partition_that_is_empty_is_refused(cli: CLI, parts: Path) -> None:
    (parts / "part-1.jsonl").write_bytes(b"")
    assert "in/part-1.jsonl is empty" in done(cli, code=3, pattern="in/part-1.jsonl")


def test_another_catalog_needs_another_folder(cli: CLI, parts: Path) -> None:
    done(cli)
    before = files(cli)
    catalog = (DATA / "catalog.yaml").read_text(encoding="utf-8").replace("Password Reset", "Password Change")
    (cli.folder / "other.yaml").write_text(catalog, encoding="utf-8")
    assert "out was begun with another catalog" in done(cli, "--catalog", "other.yaml", code=3)
    assert files(cli) == before


def test_another_version_needs_another_folder(cli: CLI, parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done(cli)
    monkeypatch.setattr("ticketattr.entrypoint.partition_job.__version__", "99.0")
    assert f"out was begun with version {__version__} of ticketattr, and this is 99.0" in done(cli, code=3)


def test_a_partition_of_another_job_is_not_merged(cli: CLI, parts: Path) -> None:
    done(cli)
    change(cli.folder / "out" / "part-1.manifest.json", identity={"catalog": "11111111"})
    assert "partition part-1 was done with another catalog" in refused(cli, "merge", "out/")


def test_the_same_partition_under_two_names_is_not_merged(cli: CLI, parts: Path) -> None:
    shutil.copy(parts / "part-1.jsonl", parts / "part-3.jsonl")
    done(cli)
    assert "partitions part-1 and part-3 have the same content" in refused(cli, "merge", "out/")


def test_answers_that_were_changed_are_not_merged(cli: CLI, parts: Path) -> None:
    done(cli)
    path = cli.folder / "out" / "part-1.attributions.jsonl"
    path.write_bytes(path.read_bytes().replace(b"T-5", b"T-6"))
    said = refused(cli, "merge", "out/")
    assert "part-1.attributions.jsonl is not what its manifest says" in said
    assert not (cli.folder / "out" / "attributions.jsonl").exists()


def test_a_partition_that_nobody_did_is_missed_by_the_pattern(cli: CLI, parts: Path) -> None:
    done(cli, pattern="in/part-0.jsonl")
    assert "2 partitions of 3 not done: part-1, part-2" in refused(cli, "merge", "out/", "-i", "in/part-*.jsonl")
    done(cli)
    assert "not among those of --input: part-0" in refused(cli, "merge", "out/", "-i", "in/part-[12].jsonl")


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_the_merged_result_has_the_form_that_its_name_says(cli: CLI, parts: Path, form: str) -> None:
    pytest.importorskip("pyarrow")
    done(cli)
    cli.ok("merge", "out/", "-o", f"merged.{form}")
    assert "15 rows written" in cli.ok("report", "-i", f"merged.{form}", "--format", "csv", "-o", "a.csv").stderr


def test_what_a_killed_process_left_is_removed(cli: CLI, parts: Path) -> None:
    (cli.folder / "out").mkdir()
    for command in ("classify", "-i", "in/part-*.jsonl", "-o", "out/"), ("merge", "out/"):
        (cli.folder / "out" / ".ticketattr-abcdefgh.tmp").write_bytes(b"half")
        cli.ok(*command)
        assert not [name for name in files(cli) if name.endswith(".tmp")]


def test_two_files_of_one_name_are_refused(cli: CLI, parts: Path) -> None:
    (cli.folder / "in" / "part-1.csv").write_text("id,short_description\n1,a\n", encoding="utf-8")
    assert "are both called part-1" in done(cli, code=2, pattern="in/part-*")


def test_partitions_of_one_name_in_two_folders_are_refused_also_by_two_processes(cli: CLI, parts: Path) -> None:
    done(cli)
    other = cli.folder / "other"
    other.mkdir()
    in_lines(other / "part-1.jsonl", range(20, 25))
    before = (cli.folder / "out" / "part-1.attributions.jsonl").read_bytes()
    assert "in/part-1.jsonl and other/part-1.jsonl are both called part-1" in done(cli, code=3, pattern="other/*")
    assert (cli.folder / "out" / "part-1.attributions.jsonl").read_bytes() == before


def test_answers_are_not_written_beside_the_partitions(cli: CLI, parts: Path) -> None:
    assert "in is the folder of the partitions" in refused(cli, "classify", "-i", "in/part-*", "-o", "in/", code=2)


def test_a_partition_may_be_called_like_a_file_of_the_job(cli: CLI, parts: Path) -> None:
    for place, name in enumerate(("asked-1", "job", "catalog")):
        (parts / f"part-{place}.jsonl").rename(parts / f"{name}.jsonl")
    done(cli, pattern="in/*.jsonl")
    cli.ok("merge", "out/", "-i", "in/*.jsonl")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_partition_in_parquet_that_is_cut_is_named(cli: CLI, parts: Path, share: float) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = parts / "part-3.parquet"
    parquet.write_table(arrow.table({"id": ["T-90"] * 50, "short_description": ["Printer"] * 50}), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "not done: part-3: in/part-3.parquet is " in done(cli, code=5, pattern="in/part-*")


@pytest.mark.parametrize(
    ("args", "says", "code"),
    [
        (("classify", "-i", "in/none-*.jsonl", "-o", "out/"), "no file matches in/none-*.jsonl", 3),
        (("classify", "-i", "in/part-*.jsonl"), "many files need --input and --output FOLDER", 2),
        (("classify", "-i", "in/part-*.jsonl", "-o", "out/", "--batch"), "batch jobs need", 2),
        (
            ("classify", "-i", "all.jsonl", "-o", "a.jsonl", "--scheduler", "local"),
            "--scheduler is for many files and the embedded classifier",
            2,
        ),
        (
            ("classify", "-i", "in/part-*.jsonl", "-o", "out/", "--scheduler", "here:8786"),
            "--scheduler is neither local nor an address: here:8786",
            2,
        ),
        (("merge", "nowhere"), "nowhere/job.json cannot be read", 3),
        (("merge", "in"), "in/job.json cannot be read", 3),
    ],
)
def test_what_cannot_be_done_is_said(cli: CLI, parts: Path, args: tuple[str, ...], says: str, code: int) -> None:
    assert says in refused(cli, *args, code=code)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": "job", "schema_version": 2}', '{"kind": "job"}'])
def test_a_damaged_job_is_refused(cli: CLI, parts: Path, content: str) -> None:
    done(cli)
    (cli.folder / "out" / "job.json").write_text(content, encoding="utf-8")
    assert "out/job.json" in refused(cli, "merge", "out/")
    assert "out/job.json" in done(cli, code=3)


def change(path: Path, **changes: dict[str, Any]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    for name, fields in changes.items():
        content[name] |= fields
    path.write_text(json.dumps(content), encoding="utf-8")
