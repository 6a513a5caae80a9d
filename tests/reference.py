"""The pages of docs/reference that come from the code: `python -m tests.reference` writes them anew."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from ticketattr import __version__, errors
from ticketattr.application.ports import AppliedRun, Run
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.correction import Correction
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.domain.usage import Bill
from ticketattr.domain.write_back import Change
from ticketattr.entrypoint.commands.help_examples import EXAMPLES
from ticketattr.entrypoint.settings.names import known_settings
from ticketattr.entrypoint.web import api
from ticketattr.infrastructure.schemas import schema_url
from ticketattr.infrastructure.stage_files.applied import write_applied
from ticketattr.infrastructure.stage_files.attributions import write_attributions
from ticketattr.infrastructure.stage_files.catalog_and_tickets import write_catalog, write_tickets
from ticketattr.infrastructure.stage_files.corrections import write_corrections

from .command_tree import PROGRAM, command_called, commands, groups_and_commands
from .doors import doors_page
from .fakes import LAPTOP, MIDNIGHT, PASSWORD

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
_COMMANDS = """\
# Commands

Results go to stdout; progress and problems go to stderr. `--env-file`, `-v` and `-q` may stand before or after
the command. Every `--help` has what is below. A stage reads the files of the newest run unless an option names
others; `-` is stdin or stdout, so stages can be a pipe:

```bash
ticketattr fetch -o - | ticketattr classify -i - -o - | ticketattr report -i - -o report.xlsx
```
"""
_SETTINGS = """\
# Settings

An option takes precedence over the environment, the environment over `.env`, and `.env` over the default.
`--env-file PATH` replaces `.env`. It may be repeated, and the last file takes precedence:
`--env-file common.env --env-file prod.env` is a profile (`examples/profiles`). A command asks only for the
settings that it uses. `.env.example` is this list as a file to fill in.

A secret may be in a file of its own, as systemd credentials and Docker secrets are: `LLM_API_KEY_FILE` names it.
"""
_API = """\
# API

The service ([how to run it](../how-to/service.md)) answers below `/api/v1`; the OpenAPI document is at
`/api/v1/openapi.json`. Every call needs a token, `Authorization: Bearer tka_…`: with the scope `read` for GET,
with `operate` for all others. A list has the field `next`: what follows the address of the list to get the next
page, or null. Errors are problem details (RFC 9457):

"""
_PROFILES = """\
# Keys of a profile

A profile tells how a helpdesk is read and written; [how to write one](../how-to/helpdesks.md#write-a-profile).
Expressions are JMESPath. Where a list of expressions stands, the first that finds something counts.
`${key}` and `${secret}` may stand in headers, query and body, never in a path: paths are logged.

"""
_STAGE_FILES = """\
# Stage files

A run keeps what each stage left in `work/<run id>/`. The file is written whole, then renamed, with mode 0600. It
begins with a header: `kind`, `schema_version` (a file of another version is refused), `run_id`, `generated_at` in
UTC, `generator`. The data follows; a field without a value may be missing. `attributions` may also be JSON Lines
(`.jsonl`: the header in the first line, then one ticket a line, the end of the header last) or Parquet
([many tickets](../how-to/scale.md)).
"""
_EXIT_CODES = """\
# Exit codes

Every command ends with one of them. A message on stderr says what to do next.

"""

_RUN = Run("20261123T150301Z-7f3a", lambda: MIDNIGHT)


def commands_page() -> str:
    """Every command with its options and examples, as `--help` has them."""
    lines = _COMMANDS.splitlines()
    for name in groups_and_commands():
        command = command_called(name) if name else PROGRAM
        is_group = bool(name) and name not in commands()
        called = f"ticketattr {name}".strip()
        lines += ["", f"{'###' if ' ' in name else '##'} {called}", "", command.help]
        context = command.make_context(called, [], resilient_parsing=True)
        records = [record for param in command.params if (record := param.get_help_record(context))]
        if records and not is_group:
            lines += ["", *_table(("option", "does"), [(_without_type(option), text) for option, text in records])]
        if not is_group:
            lines += ["", "```bash", *EXAMPLES[name], "```"]
    return _page(lines)


def _without_type(option: str) -> str:
    """The option as code, without the name of a type of Python, which depends on the version of Typer."""
    return f"`{re.sub(' <[^|>]+>', '', option)}`"


def settings_page() -> str:
    """Every setting, by the sections of .env.example."""
    lines = _SETTINGS.splitlines()
    for title, entries in _sections_of_env_example():
        rows = [
            (
                "<br>".join(f"`{name}`" for name, _ in settings),
                "<br>".join(_shown_default(name, default) for name, default in settings),
                text,
            )
            for settings, text in entries
        ]
        lines += ["", f"## {title}", "", *_table(("setting", "default", "meaning"), rows)]
    return _page(lines)


def _sections_of_env_example() -> Iterator[tuple[str, list[tuple[list[tuple[str, str]], str]]]]:
    """Each section: its title, and its settings (name, default) with the comment above them."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for section in re.split(r"^# --- ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        found = re.findall(r"((?:^#.*\n)+)((?:^[A-Z_]+=.*\n?)+)", body, re.MULTILINE)
        yield (
            _capital(title.rstrip("- ")),
            [
                (
                    re.findall(r"^([A-Z_]+)=(.*)$", settings, re.MULTILINE),
                    " ".join(line.removeprefix("#").strip() for line in comment.splitlines()),
                )
                for comment, settings in found
            ],
        )


def _shown_default(name: str, default: str) -> str:
    if known_settings()[name].is_secret:
        return "(secret)"
    return f"`{default}`" if default else "-"


def exit_codes_page() -> str:
    """Every exit code, as errors.py explains it."""
    lines = _EXIT_CODES.splitlines()
    tree = ast.parse(inspect.getsource(errors.ExitCode))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    texts = [node.value.value for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    rows = [
        (str(code.value), str(text).replace("\n", " "))
        for code, text in zip(errors.ExitCode, (re.sub(r"\s+", " ", str(text)) for text in texts[1:]), strict=True)
    ]
    return _page([*lines, *_table(("code", "means"), rows)])


def api_page() -> str:
    """Every call of the API, from its OpenAPI document."""
    app = FastAPI()
    app.include_router(api.router)
    document = app.openapi()
    schemas = document["components"]["schemas"]
    lines = _API.splitlines()
    failures = {status: text["description"] for status, text in sorted(api.router.responses.items(), key=str)}
    lines += _table(("status", "means"), [(str(status), text) for status, text in failures.items()])
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            lines += ["", f"## {method.upper()} {path}", "", call["description"]]
            inputs = [
                (f"`{item['name']}`", item["in"], item.get("description", item["schema"].get("description", "")))
                for item in call.get("parameters", [])
            ]
            inputs += [
                (f"`{name}`", "body", field.get("description", "")) for name, field in _body_fields(call, schemas)
            ]
            if inputs:
                lines += ["", *_table(("input", "in", "what it is"), inputs)]
            good = [status for status in call["responses"] if status not in map(str, failures)]
            lines += ["", f"Answers: {', '.join(sorted(good))}."]
    return _page(lines)


def _body_fields(call: Any, schemas: Any) -> Iterator[tuple[str, Any]]:
    schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            yield from schemas[choice["$ref"].rpartition("/")[2]]["properties"].items()


def profiles_page() -> str:
    """Every key of a profile, from the schema for editors."""
    schema = json.loads(Path(schema_url("profile").removeprefix("file://")).read_text(encoding="utf-8"))
    lines = _PROFILES.splitlines()
    return _page([*lines, *_table(("key", "says"), list(_described(schema, schema)))])


def _described(node: Any, schema: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if "$ref" in node and node["$ref"].rpartition("/")[2] in ("tickets", "paging"):
        node = {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node}
    if path and "description" in node:
        yield f"`{path}`", node["description"]
    for style in node.get("oneOf", ()):
        yield f"`{path}.style: {style['properties']['style']['const']}`", style["description"]
    for choice in (node, *node.get("anyOf", ())):
        for name, inner in choice.get("properties", {}).items():
            yield from _described(inner, schema, f"{path}.{name}".lstrip("."))


def stage_files_page() -> str:
    """Each stage file as the program writes it, for one ticket."""
    lines = _STAGE_FILES.splitlines()
    with tempfile.TemporaryDirectory() as folder:
        for kind, maker, write in _STAGES:
            path = Path(folder) / f"{kind}.json"
            write(path)
            content = json.loads(path.read_text(encoding="utf-8"))
            content["generator"] = content["generator"].replace(__version__, "X.Y.Z")
            lines += ["", f"## {kind}.json", "", f"Written by `ticketattr {maker}`.", "", "```json"]
            lines += [*json.dumps(content, indent=2, ensure_ascii=False).splitlines(), "```"]
    return _page(lines)


_TICKET = Ticket("T-1", "Locked out", "My password expired.", "ann@example.com", "2026-11-20T08:00:00Z")
_ATTRIBUTED = (
    AttributedTicket(_TICKET, Attribution(PASSWORD, "model", 0.93, "password expired", (LAPTOP,), "gemini-2.5-flash")),
    AttributedTicket(Ticket("T-2", "Hello"), Unattributed("no_match", "no entry fits")),
)
_CHANGE = Change(
    *("https://desk.example.com", _RUN.id, "T-1", "fill", ("", ""), PASSWORD.pair, "applied", MIDNIGHT, MIDNIGHT),
    confidence=0.93,
    source="model",
    number=1,
)
_CORRECTION = Correction(
    *(
        _RUN.id,
        0,
        "T-1",
        "Locked out",
        "My password expired.",
        *LAPTOP.pair,
        *PASSWORD.pair,
        "bob",
        "ann",
        MIDNIGHT,
        True,
    )
)
_STAGES: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    ("catalog", "fetch", lambda path: write_catalog(path, ServiceCatalog((PASSWORD,)), _RUN)),
    ("tickets", "fetch", lambda path: write_tickets(path, [_TICKET], _RUN)),
    ("attributions", "classify", lambda path: write_attributions(path, _ATTRIBUTED, _RUN, Bill())),
    ("applied", "apply", lambda path: write_applied(path, AppliedRun((_CHANGE,)), _RUN)),
    ("corrections", "corrections import", lambda path: write_corrections(path, [_CORRECTION], _RUN)),
)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[" ".join(cell.replace("|", "\\|").split()) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *cells)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _page(lines: Sequence[str]) -> str:
    first, *rest = lines
    return "\n".join([first, "", "<!-- `python -m tests.reference` writes this page from the code. -->", *rest, ""])


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "exit-codes.md": exit_codes_page,
    "api.md": api_page,
    "profiles.md": profiles_page,
    "stage-files.md": stage_files_page,
    "doors.md": lambda: _page(doors_page()),
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
