"""The list of deliveries, page by page: each report and each message is on one page, newest first."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketattr.application.service.deliveries import deliveries_page

from ..test_send import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Three reports in two messages, and three in none."""
    desk = Desk(tmp_path / "output")
    for names in (("a", "b"), ("c",)):
        for name in names:
            desk.put(f"{name}.xlsx")
        desk.send()
    for modified, name in enumerate(("d", "e", "f"), start=2000):
        desk.put(f"{name}.xlsx", modified=modified)
    return desk


def pages(desk: Desk, limit: int) -> tuple[list[list[str]], list[str]]:
    """The names of the reports on each page, and where each page but the first begins."""
    tracker = desk.outgoing().tracker
    reports = tracker.statuses()[::-1]
    shown, places = list[list[str]](), [""]
    while len(shown) < len(places):
        page = deliveries_page(tracker, reports, places[-1], limit)
        shown.append([status.report.path.stem for status in page.statuses])
        places += [page.next] if page.next else []
    return shown, places[1:]


@pytest.mark.parametrize(
    ("limit", "shown", "places"),
    [
        (1, [["f"], ["e"], ["d"], ["c"], ["b", "a"]], ["f1", "f2", "f3", "m2"]),
        (2, [["f", "e"], ["d", "c"], ["b", "a"]], ["f2", "m2"]),
        (3, [["f", "e", "d"], ["c", "b", "a"]], ["f3"]),
        (4, [["f", "e", "d", "c"], ["b", "a"]], ["m2"]),
        (5, [["f", "e", "d", "c", "b", "a"]], []),
    ],
)
def test_reports_in_no_message_come_first_then_those_of_each_message(
    desk: Desk, limit: int, shown: list[list[str]], places: list[str]
) -> None:
    assert pages(desk, limit) == (shown, places)


def test_without_messages_the_reports_of_the_folder_end_the_list(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "output")
    assert pages(desk, 2) == ([[]], [])
    desk.put("a.xlsx")
    desk.put("b.xlsx", modified=2000)
    assert pages(desk, 2) == ([["b", "a"]], [])
    assert pages(desk, 1) == ([["b"], ["a"]], ["f1"])
