"""How LibreOffice reads our workbooks: `nox -s office`. It needs `soffice` and `pdftoppm`, and installs nothing.

Renders every sheet of the example queue as PNG into the given folder, for visual checks. Also converts workbooks with
LibreOffice (xlsx to xlsx) and checks that text, tickets and corrections are unchanged.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from openpyxl import load_workbook

from ticketattr.domain.report import ReportContext, build_report
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket
from ticketattr.infrastructure.reports.cell_text import cell_matches
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import ExcelReports
from ticketattr.infrastructure.reports.workbook_archive import inspect_archive

from .fakes import CATALOG, GENERAL, MIDNIGHT
from .hostile import hostile_texts
from .infrastructure.reports.test_run_id_reader import without_properties


def main(example: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    render(example, folder)
    hostile_text_comes_back(folder)
    corrections_come_back(example, folder)
    run_comes_back(example, folder)


def render(workbook: Path, folder: Path) -> None:
    """Write the pages as page-1.png, page-2.png …"""
    convert(workbook, "pdf", folder)
    pdf = folder / f"{workbook.stem}.pdf"
    subprocess.run(["pdftoppm", "-r", "110", "-png", str(pdf), str(folder / "page")], check=True)
    print(f"{len(list(folder.glob('page-*.png')))} pages in {folder}")


def hostile_text_comes_back(folder: Path) -> None:
    texts = hostile_texts()
    tickets = [
        AttributedTicket(Ticket(f"T-{place}", text), Attribution(GENERAL, "model")) for place, text in enumerate(texts)
    ]
    report = build_report(
        tickets, run_id="20261123T150301Z-7f3a", generated_at=MIDNIGHT, context=ReportContext(catalog=CATALOG)
    )
    path = folder / "hostile.xlsx"
    ExcelReports().write(report, path)
    saved = through_office(path, folder)
    reviewed = read_reviewed(saved)
    assert len(reviewed.rows) == len(texts), (len(reviewed.rows), len(texts))
    assert reviewed.run_id == report.run_id
    strange = [
        row.category_cell
        for row in reviewed.rows
        if not cell_matches(row.short_description, texts[(row.place or 0) - 1])
    ]
    assert not strange, strange
    formulas = [cell.coordinate for line in load_workbook(saved)["Tickets"] for cell in line if cell.data_type == "f"]
    assert not formulas, formulas
    print(f"{len(texts)} hostile texts are unchanged text after LibreOffice, each in its row")


def corrections_come_back(example: Path, folder: Path) -> None:
    """Three cells are edited with openpyxl. The import finds the same three after LibreOffice saved the workbook."""
    edited = folder / "edited.xlsx"
    workbook = load_workbook(example)
    for cell, value in {"C2": "Password Reset", "C3": "Password Reset", "C4": "Password Reset"}.items():
        workbook["Tickets"][cell] = value
    workbook.save(edited)
    saved = through_office(edited, folder)
    assert read_reviewed(edited).rows == read_reviewed(saved).rows
    before = {row.place: row.request_type for row in read_reviewed(example).rows}
    changed = [row.category_cell for row in read_reviewed(saved).rows if before[row.place] != row.request_type]
    assert changed == ["B2", "B3", "B4"], changed
    validations = load_workbook(saved)["Tickets"].data_validations.dataValidation
    assert len(validations) == 3, validations
    print("3 edited cells are still 3 after LibreOffice, and the drop-downs still exist")


def run_comes_back(example: Path, folder: Path) -> None:
    """LibreOffice keeps both places of the run's id: the report names its run even if one of them is lost later."""
    run = read_reviewed(example).run_id
    assert run
    saved = through_office(example, folder)
    assert inspect_archive(saved.read_bytes()) == ("", run)
    assert inspect_archive(without_properties(saved.read_bytes())) == ("", run)
    convert(example, "ods", folder)
    convert(folder / f"{example.stem}.ods", "xlsx", folder / "from-ods")
    back = (folder / "from-ods" / example.name).read_bytes()
    assert inspect_archive(back) == ("", run)
    assert inspect_archive(without_properties(back)) == ("", run)
    print(f"LibreOffice keeps the run {run} in the properties and in the summary, also through ODS")


def through_office(path: Path, folder: Path) -> Path:
    again = folder / "again"
    convert(path, "xlsx", again)
    return again / path.name


def convert(path: Path, to: str, folder: Path) -> None:
    office = shutil.which("soffice") or sys.exit("soffice is not installed")
    command: Sequence[str] = (office, "--headless", "--convert-to", to, "--outdir", str(folder), str(path))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
