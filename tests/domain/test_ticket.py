from __future__ import annotations

from typing import get_args

import pytest

from ticketattr.domain.ticket import Reason, Unattributed


@pytest.mark.parametrize("reason", get_args(Reason))
def test_only_no_match_and_pending_are_no_failures(reason: Reason) -> None:
    assert Unattributed(reason).is_failure == (reason not in ("no_match", "pending"))
