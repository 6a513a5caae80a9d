"""A desk with a real folder and log."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_send import DOUBT, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "output")


@pytest.fixture
def doubtful(desk: Desk) -> Desk:
    """Two reports in one message in doubt."""
    desk.put("a.xlsx")
    desk.put("b.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    return desk
