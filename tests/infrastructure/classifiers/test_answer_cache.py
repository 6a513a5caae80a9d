"""Answers are paid for once. A file that cannot be used costs money only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.classifiers.answer_cache import KEEP_DAYS, SCHEMA_VERSION, SQLiteAnswerCache

ENTRY = RequestType("Access", "Password", SLA(4, "hours"))
CATALOG = ServiceCatalog((ENTRY,))
MODEL = "gemini-2.5-pro"
ANSWERS: dict[str, Outcome] = {
    "a": Attribution(ENTRY, "model", 0.75, "Größe 😀", model=MODEL),
    "b": Unattributed("no_match", "nothing fits", MODEL),
    "c": Attribution(ENTRY, "model", None, model=MODEL),
}
NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def cache(path: Path, now: datetime = NOW, *, fresh: bool = False) -> SQLiteAnswerCache:
    return SQLiteAnswerCache(path, lambda: now, lambda model: model == MODEL, fresh=fresh)


def keyed(keys: Sequence[str]) -> dict[str, Ticket]:
    return dict.fromkeys(keys, Ticket("T-1", "Printer"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "answers.db"


def test_another_process_gets_what_was_put(path: Path) -> None:
    cache(path).put(ANSWERS, {})
    assert cache(path).get(keyed(["a", "b", "c", "unknown"]), CATALOG) == ANSWERS


def test_thousands_of_keys_are_looked_up_at_once(path: Path) -> None:
    cache(path).put({str(number): ANSWERS["a"] for number in range(2500)}, {})
    assert len(cache(path).get(keyed([str(number) for number in range(3000)]), CATALOG)) == 2500


def test_an_answer_whose_type_left_the_catalog_is_not_returned(path: Path) -> None:
    cache(path).put(ANSWERS, {})
    other = ServiceCatalog((RequestType("Access", "Badge", SLA(1, "days")),))
    assert cache(path).get(keyed(["a", "b"]), other) == {"b": ANSWERS["b"]}


def test_fresh_returns_no_answers_and_keeps_the_new_ones(path: Path) -> None:
    cache(path).put(ANSWERS, {})
    fresh = cache(path, fresh=True)
    assert fresh.get(keyed(["a"]), CATALOG) == {}
    fresh.put({"a": ANSWERS["b"]}, {})
    assert cache(path).get(keyed(["a"]), CATALOG) == {"a": ANSWERS["b"]}


def test_answers_that_are_not_used_are_deleted_and_others_stay(path: Path) -> None:
    cache(path).put(ANSWERS, {})
    later = NOW + timedelta(days=KEEP_DAYS - 1)
    assert "a" in cache(path, later).get(keyed(["a"]), CATALOG)
    later += timedelta(days=2)
    cache(path, later).get(keyed(["x"]), CATALOG)
    assert set(cache(path, later).get(keyed(list(ANSWERS)), CATALOG)) == {"a"}


def test_reading_creates_no_file(path: Path) -> None:
    assert cache(path).get(keyed(["a"]), CATALOG) == {}
    assert not path.parent.exists()


def test_a_damaged_file_is_renamed_and_the_run_continues(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    damaged = cache(path)
    assert damaged.get(keyed(["a"]), CATALOG) == {}
    damaged.put(ANSWERS, {})
    assert cache(path).get(keyed(["a"]), CATALOG) == {"a": ANSWERS["a"]}
    assert "was renamed to answers.db.damaged-20261123T000000Z" in caplog.text


def test_a_file_of_a_newer_version_is_not_changed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache(path).put(ANSWERS, {})
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    file.close()
    newer = cache(path)
    assert newer.get(keyed(["a"]), CATALOG) == {}
    newer.put({"z": ANSWERS["a"]}, {})
    assert caplog.text.count("newer version") == 1


def test_a_locked_file_is_not_used(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache(path).put(ANSWERS, {})
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout: connect(path, timeout=0.01))
    holder = connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    busy = cache(path)
    busy.put({"z": ANSWERS["a"]}, {})
    holder.close()
    assert "locked" in caplog.text


def test_a_folder_that_cannot_be_made_disables_the_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    cache(tmp_path / "file" / "answers.db").put(ANSWERS, {})
    assert "is not used in this run" in caplog.text


def test_an_invalid_answer_in_the_file_is_asked_for_again(path: Path) -> None:
    cache(path).put(ANSWERS, {})
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE answers SET answer = '[]' WHERE key = 'a'")
        file.execute("UPDATE answers SET answer = '{\"request_category\": 1}' WHERE key = 'c'")
    file.close()
    assert cache(path).get(keyed(["a", "b", "c"]), CATALOG) == {"b": ANSWERS["b"]}


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    """It quotes tickets."""
    cache(path).put({"key": Unattributed("no_match", "x")}, {})
    assert {file.stat().st_mode & 0o777 for file in path.parent.glob(f"{path.name}*")} == {0o600}


def test_an_answer_of_another_model_than_the_one_asked_is_not_returned(path: Path) -> None:
    other = Attribution(ENTRY, "model", 0.5, model="gemini-3.8-flash")
    unknown = Attribution(ENTRY, "model", 0.5)
    cache(path).put({**ANSWERS, "other": other, "unknown": unknown}, {})
    found = cache(path).get(keyed([*ANSWERS, "other", "unknown"]), CATALOG)
    assert found == ANSWERS
    assert {outcome.model for outcome in found.values()} == {MODEL}
