"""Whatever comes in from outside, a reader gives a value or one of our errors: never another exception.

The same few examples each time; `nox -s fuzz` tries others, and many more.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticketattr.application.ports import BatchFailed
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.correction import ReviewedWorkbook
from ticketattr.domain.report import Report, Row
from ticketattr.domain.ticket import Attribution, Ticket, Unattributed
from ticketattr.errors import TicketAttrError
from ticketattr.infrastructure.classifiers.gemini.answer import read_answer
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.reviewed_workbook import read_reviewed
from ticketattr.infrastructure.sources.catalog_yaml import parse_catalog
from ticketattr.infrastructure.sources.helpdesk import WebhookHelpdesk

from .conftest import DATA
from .fakes import MIDNIGHT

MANY = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"


def tries(number: int) -> settings:
    return settings(
        max_examples=number * 200 if MANY else number,
        derandomize=not MANY,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


CATALOG = ServiceCatalog((RequestType("Hardware", "Laptop", SLA(4, "hours")),))
NAMES = st.sampled_from(
    "data requests response_code id ticket_id subject sla value unit items request_category request_type "
    "confidence evidence short_description".split()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["hours", "Hardware", "Laptop"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(), inner), max_leaves=20
)
CATALOG_YAML = (DATA / "catalog.yaml").read_bytes()


def workbook() -> bytes:
    file = io.BytesIO()
    write_workbook(Report("20261123T150301Z-7f3a", MIDNIGHT, (Row("T-1", short_description="x"),)), file)
    return file.getvalue()


WORKBOOK = workbook()


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """A few bytes of it are others, or none."""
    start = draw(st.integers(0, len(content)))
    length = draw(st.integers(0, 20))
    return content[:start] + draw(st.binary(max_size=20)) + content[start + length :]


@st.composite
def changed_workbook(draw: st.DrawFn) -> bytes:
    """One part of it says something else; the zip around it is sound."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as source, zipfile.ZipFile(file, "w") as to:
        names = source.namelist()
        broken = draw(st.sampled_from(names))
        for name in names:
            content = source.read(name)
            to.writestr(name, draw(changed(content)) if name == broken else content)
    return file.getvalue()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "in.xlsx"


@tries(25)
@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_the_helpdesk_answers_tickets_or_an_error(file: Path, content: bytes) -> None:
    path = file.with_suffix(".json")
    path.write_bytes(content)
    with suppress(TicketAttrError):
        tickets = WebhookHelpdesk(HelpdeskAccess(str(path)), HTTPPolicy()).fetch_tickets()
        assert all(isinstance(ticket, Ticket) for ticket in tickets)


@tries(60)
@given(changed(CATALOG_YAML) | st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_the_catalog_is_one_or_an_error(content: bytes) -> None:
    with suppress(TicketAttrError):
        assert isinstance(parse_catalog(content, "catalog"), ServiceCatalog)


@tries(60)
@given(st.text() | JSON.map(json.dumps) | st.lists(JSON).map(lambda items: json.dumps({"items": items})))
def test_the_model_answers_each_ticket_or_fails_its_batch(text: str) -> None:
    with suppress(TicketAttrError, BatchFailed):
        outcomes = read_answer(text, 3, CATALOG)
        assert len(outcomes) == 3
        assert all(isinstance(outcome, (Attribution, Unattributed)) for outcome in outcomes)


@tries(40)
@given(changed_workbook() | changed(WORKBOOK) | st.binary())
def test_a_workbook_that_comes_back_is_one_or_an_error(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with suppress(TicketAttrError):
        assert isinstance(read_reviewed(file), ReviewedWorkbook)
