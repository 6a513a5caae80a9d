"""What was read last: read again when something changed, by one at a time, and not because it was read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic

from ticketattr.entrypoint.web.parts import Cached, Derived, folder_version

from .conftest import Web
from .test_api import put_report, record_doubt


def versions(web: Web, folder: Path) -> tuple[object, object]:
    return folder_version(folder / "output"), web.log.version()


def test_reading_the_reports_does_not_make_them_look_changed(web: Web, tmp_path: Path) -> None:
    record_doubt(web, put_report(tmp_path))
    before = versions(web, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(web.tracker.statuses) for _ in range(8)]
        during = {versions(web, tmp_path) for _ in range(20)}
    assert all(reader.result() for reader in readers)
    assert {*during, versions(web, tmp_path)} == {before}


def test_a_report_that_comes_goes_or_is_replaced_and_an_entry_of_the_log_are_changes(web: Web, tmp_path: Path) -> None:
    seen = [versions(web, tmp_path)]

    def note() -> None:
        seen.append(versions(web, tmp_path))

    report = put_report(tmp_path)
    note()
    new = report.with_name("new")
    new.write_bytes(report.read_bytes())
    new.replace(report)
    note()
    with report.open("r+b") as file:
        file.write(b"x")
    note()
    record_doubt(web, report)
    note()
    report.unlink()
    note()
    assert len(set(seen)) == len(seen) == 6


def test_many_who_come_at_once_wait_for_one_reading() -> None:
    begun, go_on, reads = Event(), Event(), count(1)

    def read() -> int:
        begun.set()
        go_on.wait(10)
        return next(reads)

    cached = Cached(read, lambda: 0, lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        values = [pool.submit(cached.get) for _ in range(8)]
        begun.wait(10)
        go_on.set()
        assert [value.result() for value in values] == [1] * 8


def test_while_one_reads_again_the_others_get_what_was_read_before() -> None:
    begun, go_on, reads, seconds = Event(), Event(), count(1), count(step=2)

    def read() -> int:
        number = next(reads)
        if number == 2:
            begun.set()
            go_on.wait(10)
        return number

    cached = Cached(read, seconds.__next__, seconds.__next__)
    assert cached.get() == 1
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cached.get)
        begun.wait(10)
        assert [cached.get() for _ in range(3)] == [1, 1, 1]
        go_on.set()
        assert slow.result() == 2
    assert cached.get() == 3


def test_what_is_made_of_a_value_is_made_once_until_there_is_another_value() -> None:
    made = Derived()
    one, other = [1], [1]

    def get(value: object, key: object, content: bytes) -> bytes:
        return made.get(value, key, lambda: content)

    assert [get(one, "a", b"1"), get(one, "a", b"2"), get(one, "b", b"3")] == [b"1", b"1", b"3"]
    assert [get(other, "a", b"4"), get(one, "a", b"5")] == [b"4", b"5"]
    for key in range(10 * Derived.MOST):
        get(one, key, b"")
    assert len(made._made) <= Derived.MOST  # noqa: SLF001


def test_a_list_shows_a_report_that_came_after_it_was_asked_for(web: Web, tmp_path: Path) -> None:
    with web.client("read") as client:
        assert client.get("/api/v1/reports").json() == {"items": [], "next": None}
        put_report(tmp_path)
        deadline = monotonic() + 10
        while not client.get("/api/v1/reports").json()["items"]:
            assert monotonic() < deadline
