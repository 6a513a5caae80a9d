"""A stage reads what the stage before it wrote, or says why it cannot."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.application.ports import Run
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.domain.usage import Bill
from ticketattr.errors import CatalogError, ServiceError, SettingsError, StageFileError
from ticketattr.infrastructure.files import replacing, write_error
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.stage_files import header
from ticketattr.infrastructure.stage_files.attributions import read_attributions, write_attributions
from ticketattr.infrastructure.stage_files.catalog_and_tickets import (
    read_catalog,
    read_tickets,
    write_catalog,
    write_tickets,
)
from ticketattr.infrastructure.stage_files.header import Kind
from ticketattr.infrastructure.stage_files.run_files import read_fetched
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

NOW = datetime(2026, 11, 23, 15, 3, 1, tzinfo=timezone.utc)
OLDER, OLD, NEW = "20261123T150301Z-0000", "20261123T150301Z-7f3a", "20261123T150302Z-0000"
RUN = Run(OLD, lambda: NOW)

RESET = RequestType("Access", "Password Reset", SLA(0, "hours"))
UNLOCK = RequestType("Access", "Account Unlock", SLA(1.5, "days"))
CATALOG = ServiceCatalog((RequestType("Access", "Reset", SLA(1, "weeks"), "For all.", ("a", "b"), ("c",)), UNLOCK))
TICKETS = [
    Ticket("T-1", "Locked out", "Since Monday.", "ann@example.com", "2026-11-20", "Access", "Reset", SLA(9, "weeks")),
    Ticket("", "", extra={"tags": ["ü", None, {"deep": 1.5}], "vip": True, "empty": None}),
    Ticket("", "\x1b[31m\x00 \u2028 \ufffd \U0001f600"),
]
ATTRIBUTIONS = [
    AttributedTicket(TICKETS[0], Attribution(RESET, "model", 0.25, "locked", (UNLOCK, RESET))),
    AttributedTicket(TICKETS[1], Attribution(UNLOCK, "kept")),
    AttributedTicket(TICKETS[2], Unattributed("blocked", "the model refused")),
    AttributedTicket(TICKETS[2], Unattributed("no_match")),
]

READERS: dict[Kind, Callable[[Path], object]] = {
    "catalog": read_catalog,
    "tickets": read_tickets,
    "attributions": read_attributions,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stage.json"


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    return WorkFolder(tmp_path / "work")


def stage_file(path: Path, kind: Kind, /, **changes: Any) -> Path:
    """A stage file without data and with changes to its header; None removes a field."""
    header = {
        "kind": kind,
        "schema_version": 1,
        "run_id": OLD,
        "generated_at": "2026-11-23T15:03:01Z",
        "generator": "ticketattr 0.1.0",
        "data": {"entries": []} if kind == "catalog" else [],
    }
    path.write_text(json.dumps({name: value for name, value in (header | changes).items() if value is not None}))
    return path


def refusal(path: Path, kind: Kind = "tickets") -> StageFileError:
    with pytest.raises(StageFileError) as caught:
        READERS[kind](path)
    return caught.value


# Round trips


def test_a_catalog_is_read_as_it_was_written(path: Path) -> None:
    write_catalog(path, CATALOG, RUN)
    file = read_catalog(path)
    assert (file.run_id, file.generated_at, file.data) == (OLD, NOW, CATALOG)


def test_tickets_are_read_as_they_were_written(path: Path) -> None:
    write_tickets(path, TICKETS, RUN)
    file = read_tickets(path)
    assert (file.run_id, file.generated_at, file.data) == (OLD, NOW, TICKETS)


def test_attributions_are_read_as_they_were_written(path: Path) -> None:
    assert write_attributions(path, ATTRIBUTIONS, RUN, Bill()) == NOW
    file = read_attributions(path)
    assert (file.run_id, file.generated_at, file.data) == (OLD, NOW, ATTRIBUTIONS)


def test_an_empty_queue_is_read_as_an_empty_queue(path: Path) -> None:
    write_tickets(path, [], RUN)
    assert read_tickets(path).data == []


def test_a_file_states_its_time_to_the_second(path: Path) -> None:
    run = Run(OLD, lambda: NOW + timedelta(microseconds=999_999))
    assert write_attributions(path, [], run, Bill()) == read_attributions(path).generated_at == NOW


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.builds(Ticket, st.text(), st.text(), extra=st.dictionaries(st.text(), json_values)), max_size=3))
def test_any_content_of_a_ticket_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, tickets: list[Ticket]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any tickets.json"
    write_tickets(path, tickets, RUN)
    assert read_tickets(path).data == tickets


def test_the_deepest_nesting_that_a_helpdesk_may_send_is_read_by_every_stage(tmp_path: Path, path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text('[{"id": 1, "subject": "a", "more": ' + "[" * 48 + "]" * 48 + "}]")
    tickets = TicketFile(HelpdeskAccess(str(answer))).fetch_tickets()
    write_tickets(path, tickets, RUN)
    assert read_tickets(path).data == tickets
    attributed = [AttributedTicket(ticket, Unattributed("no_match")) for ticket in tickets]
    write_attributions(path, attributed, RUN, Bill())
    assert read_attributions(path).data == attributed


def test_a_file_has_the_header_and_the_fields_of_the_contract(path: Path) -> None:
    write_attributions(path, ATTRIBUTIONS[:1], RUN, Bill())
    content = json.loads(path.read_text(encoding="utf-8"))
    generator, data = content.pop("generator"), content.pop("data")
    assert content == {
        "kind": "attributions",
        "schema_version": 1,
        "run_id": OLD,
        "generated_at": "2026-11-23T15:03:01Z",
        "bill": {**asdict(Bill()), "notes": []},
    }
    assert generator.startswith("ticketattr 0.")
    attribution = data[0]["attribution"]
    assert attribution["sla"] == {"value": 0, "unit": "hours"}
    assert (attribution["request_category"], attribution["request_type"]) == ("Access", "Password Reset")
    assert (attribution["source"], attribution["confidence"], attribution["evidence"]) == ("model", 0.25, "locked")
    assert [other["request_type"] for other in attribution["alternatives"]] == ["Account Unlock", "Password Reset"]


def test_unknown_fields_of_a_later_version_are_ignored(path: Path) -> None:
    stage_file(path, "tickets", data=[{"id": "1", "short_description": "a", "mood": "bad"}], later=True)
    assert read_tickets(path).data == [Ticket("1", "a")]


# Refused files


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"kind": "report"}, "is not a stage file of kind", id="other kind"),
        pytest.param({"kind": None}, "is not a stage file of kind", id="no kind"),
        pytest.param(
            {"schema_version": 2}, "has schema version 2, but this ticketattr reads version 1", id="later version"
        ),
        pytest.param({"schema_version": 0}, "has schema version 0", id="earlier version"),
        pytest.param({"schema_version": "1"}, "has schema version 1", id="version as text"),
        pytest.param({"schema_version": None}, "has schema version None", id="no version"),
        pytest.param({"run_id": None}, "does not have a valid header", id="no run id"),
        pytest.param({"run_id": 7}, "does not have a valid header", id="run id is a number"),
        pytest.param({"run_id": ""}, "does not have a valid header", id="run id is empty"),
        pytest.param({"run_id": "../../x"}, "does not have a valid header", id="run id leads out"),
        pytest.param({"run_id": "/etc"}, "does not have a valid header", id="run id is a path"),
        pytest.param({"run_id": f"{OLD}/../../x"}, "does not have a valid header", id="run id leads out later"),
        pytest.param({"run_id": f"{OLD}\n"}, "does not have a valid header", id="run id ends in a line end"),
        pytest.param({"run_id": f"{OLD}\x00"}, "does not have a valid header", id="run id ends in a zero byte"),
        pytest.param({"generated_at": None}, "does not say when it was written", id="no time"),
        pytest.param({"generated_at": "yesterday"}, "does not say when it was written", id="time is a word"),
        pytest.param({"generated_at": 1}, "does not say when it was written", id="time is a number"),
    ],
)
def test_the_header_is_checked_before_the_data(path: Path, kind: Kind, changes: dict[str, Any], reason: str) -> None:
    error = refusal(stage_file(path, kind, data="no data of any version", **changes), kind)
    assert str(error).startswith(f"{path} {reason}")
    assert error.hint.startswith("Run `ticketattr ")


@pytest.mark.parametrize(
    ("written", "read"), [("catalog", "tickets"), ("tickets", "attributions"), ("attributions", "catalog")]
)
def test_a_file_of_another_kind_is_refused(path: Path, written: Kind, read: Kind) -> None:
    assert str(refusal(stage_file(path, written), read)) == f"{path} is not a stage file of kind '{read}'"


@pytest.mark.parametrize(
    ("kind", "command"), [("catalog", "fetch"), ("tickets", "fetch"), ("attributions", "classify")]
)
def test_a_missing_file_is_an_error_that_names_the_command_to_run(path: Path, kind: Kind, command: str) -> None:
    error = refusal(path, kind)
    assert str(error) == f"{path} cannot be read: No such file or directory"
    assert error.hint == f"Run `ticketattr {command}` first."


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99], ids=["nothing", "half", "all but the end"])
def test_half_a_file_is_refused(path: Path, kept: float) -> None:
    write_tickets(path, TICKETS, RUN)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "is not valid JSON" in str(refusal(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"[]", "is not a stage file", id="a list"),
        pytest.param(b"null", "is not a stage file", id="null"),
        pytest.param(b"\xff\xfe", "is not valid JSON", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "is nested too deeply", id="nested"),
    ],
)
def test_a_file_that_is_not_a_stage_file_is_refused(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    assert str(refusal(path)).startswith(f"{path} {reason}")


def test_an_oversize_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "MAX_BYTES", 100)
    assert "is larger than 100 bytes" in str(refusal(stage_file(path, "tickets")))


PAIR = {"request_category": "Access", "request_type": "Reset", "sla": {"value": 1, "unit": "days"}}
TICKET = {"id": "1", "short_description": "a"}
ENTRY = {"category": "Access", "name": "Reset", "sla": {"value": 1, "unit": "days"}}


@pytest.mark.parametrize(
    ("kind", "data", "place"),
    [
        pytest.param("tickets", {}, "data", id="tickets are no list"),
        pytest.param("tickets", ["T-1"], "data.0", id="ticket is text"),
        pytest.param("tickets", [TICKET, {"id": "1"}], "data.1.short_description", id="ticket lacks a field"),
        pytest.param("tickets", [{**TICKET, "id": 1}], "data.0.id", id="id is a number"),
        pytest.param(
            "tickets", [{**TICKET, "sla": {"value": 1, "unit": "moons"}}], "data.0.sla.unit", id="ticket unit"
        ),
        pytest.param("catalog", [], "data", id="catalog is a list"),
        pytest.param("catalog", {}, "data", id="catalog without entries"),
        pytest.param("catalog", {"entries": [{}]}, "data.entries.0.category", id="entry lacks a field"),
        pytest.param(
            "catalog",
            {"entries": [{**ENTRY, "sla": {"value": "soon", "unit": "days"}}]},
            "data.entries.0.sla.value",
            id="value is a word",
        ),
        pytest.param("attributions", [{}], "data.0.ticket", id="no ticket"),
        pytest.param(
            "attributions",
            [{"ticket": TICKET, "attribution": {**PAIR, "source": "oracle"}}],
            "data.0.attribution.source",
            id="unknown source",
        ),
        pytest.param(
            "attributions",
            [{"ticket": TICKET, "unattributed": {"reason": "bored"}}],
            "data.0.unattributed.reason",
            id="unknown reason",
        ),
    ],
)
def test_wrong_data_is_refused_with_its_position(path: Path, kind: Kind, data: Any, place: str) -> None:
    error = refusal(stage_file(path, kind, data=data), kind)
    assert str(error).startswith(f"{path}: {place}")
    assert error.hint


def test_a_wrong_ticket_far_down_a_long_queue_is_named_by_its_position(path: Path) -> None:
    data: list[dict[str, Any]] = [{"id": str(place), "short_description": ""} for place in range(2_500)]
    data[2_345]["sla"] = 4
    assert str(refusal(stage_file(path, "tickets", data=data), "tickets")).startswith(f"{path}: data.2345.sla: ")


def test_a_number_without_end_is_refused(path: Path) -> None:
    stage_file(path, "tickets", data=[{"id": "1", "short_description": "", "extra": {"size": 7}}])
    path.write_text(path.read_text().replace("7}", "1e999}"))
    with pytest.raises(StageFileError, match="1e999 is too large"):
        read_tickets(path)


def test_a_long_queue_is_written_as_one_indented_document(path: Path) -> None:
    queue = [Ticket(str(place), "\u2028 \x85 two\nlines", extra={"tags": [], "more": {}}) for place in range(3)]
    write_tickets(path, queue, RUN)
    content = path.read_text(encoding="utf-8")
    assert content == json.dumps(json.loads(content), ensure_ascii=False, indent=2) + "\n"
    assert read_tickets(path).data == queue


def test_a_ticket_with_neither_an_attribution_nor_a_reason_is_refused(path: Path) -> None:
    stage_file(path, "attributions", data=[{"ticket": TICKET}])
    assert "neither an attribution nor a reason" in str(refusal(path, "attributions"))


def test_a_catalog_with_two_equal_names_is_refused_with_its_file(path: Path) -> None:
    stage_file(path, "catalog", data={"entries": [ENTRY, {**ENTRY, "name": "RESET"}]})
    with pytest.raises((StageFileError, CatalogError)) as caught:
        read_catalog(path)
    assert str(caught.value).startswith(f"{path}: ")


# Runs


def fetched(work: WorkFolder, run_id: str, tickets: list[Ticket] = TICKETS) -> None:
    work.save_catalog(CATALOG, Run(run_id, lambda: NOW))
    work.save_tickets(tickets, Run(run_id, lambda: NOW))


def test_the_two_files_of_a_fetch_are_read_together(work: WorkFolder) -> None:
    fetched(work, OLD)
    run = read_fetched(work.path(OLD, "tickets"), None, work)
    assert (run.run_id, run.catalog, run.tickets) == (OLD, CATALOG, TICKETS)


def test_the_catalog_is_that_of_the_tickets_and_not_the_newest(work: WorkFolder) -> None:
    fetched(work, OLD)
    work.save_catalog(ServiceCatalog((RESET,)), Run(NEW, lambda: NOW))
    assert read_fetched(work.path(OLD, "tickets"), None, work).catalog == CATALOG


def test_files_of_different_runs_are_refused(work: WorkFolder) -> None:
    fetched(work, OLD)
    fetched(work, NEW)
    with pytest.raises(StageFileError) as caught:
        read_fetched(work.path(NEW, "tickets"), work.path(OLD, "catalog"), work)
    assert str(caught.value) == f"tickets and catalog belong to different runs, {NEW} and {OLD}"
    assert "files of the same run" in caught.value.hint


def test_the_catalog_of_another_run_in_the_folder_of_this_one_is_refused(work: WorkFolder) -> None:
    fetched(work, OLD)
    fetched(work, NEW)
    work.path(NEW, "catalog").replace(work.path(OLD, "catalog"))
    with pytest.raises(StageFileError):
        read_fetched(work.path(OLD, "tickets"), None, work)


def test_the_newest_run_is_the_last_by_its_id(work: WorkFolder) -> None:
    for run_id in (OLD, NEW, OLDER):
        fetched(work, run_id)
    assert work.newest("tickets") == work.root / NEW / "tickets.json"


def test_a_newest_run_without_the_file_is_never_replaced_by_an_older_one(work: WorkFolder) -> None:
    fetched(work, OLD)
    work.save_catalog(CATALOG, Run(NEW, lambda: NOW))
    error = refusal(work.newest("tickets"))
    assert str(work.path(NEW, "tickets")) in str(error)


@pytest.mark.parametrize("name", [".DS_Store", "example", "99999999", f"{NEW}.bak", f"{NEW}\n"])
def test_a_folder_that_is_not_a_run_is_never_the_newest(work: WorkFolder, name: str) -> None:
    fetched(work, OLD)
    (work.root / name).mkdir()
    assert work.newest("tickets") == work.path(OLD, "tickets")


@pytest.mark.parametrize("is_there", [False, True], ids=["no folder", "empty folder"])
def test_without_a_run_the_newest_is_an_error(work: WorkFolder, is_there: bool) -> None:
    if is_there:
        work.root.mkdir()
    with pytest.raises(StageFileError, match="has no run") as caught:
        work.newest("tickets")
    assert caught.value.hint == "Run `ticketattr fetch` first."


# Writing


def test_only_the_owner_can_read_a_file(path: Path) -> None:
    write_tickets(path, TICKETS, RUN)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_replaces_an_earlier_one_and_leaves_no_temporary_file(path: Path) -> None:
    path.write_text("before")
    path.chmod(0o644)
    write_tickets(path, TICKETS, RUN)
    assert read_tickets(path).data == TICKETS
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_folder_is_created(work: WorkFolder) -> None:
    work.save_tickets(TICKETS, RUN)
    assert read_tickets(work.root / OLD / "tickets.json").data == TICKETS


def interrupted_writing(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        raise KeyboardInterrupt


@pytest.mark.parametrize("was_there", [False, True], ids=["new", "replaced"])
def test_writing_that_fails_leaves_the_earlier_file_and_no_temporary_file(path: Path, was_there: bool) -> None:
    if was_there:
        path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        interrupted_writing(path)
    assert {file.name: file.read_text() for file in path.parent.iterdir()} == (
        {path.name: "before"} if was_there else {}
    )


@pytest.mark.parametrize("name", ["file/stage.json", "file/folder/stage.json", "folder", "n" * 300])
def test_a_file_that_cannot_be_written_is_a_wrong_setting_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError) as caught:
        write_tickets(tmp_path / name, TICKETS, RUN)
    assert str(caught.value).startswith(f"{tmp_path / name} cannot be written: ")
    assert caught.value.hint
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, ServiceError),
        (errno.EFBIG, ServiceError),
        (errno.EIO, ServiceError),
        (errno.EACCES, SettingsError),
        (errno.EROFS, SettingsError),
    ],
    ids=["disk full", "limit on files", "disk fails", "not allowed", "read-only"],
)
def test_a_full_disk_may_pass_and_a_missing_permission_will_not(number: int, kind: type[Exception]) -> None:
    error = write_error(Path("stage.json"), OSError(number, "reason"))
    assert isinstance(error, kind)
    assert str(error) == "stage.json cannot be written: reason"
