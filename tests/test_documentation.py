"""What README, the pages in docs and .env.example say is what the program does."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from ticketattr.entrypoint.settings.names import known_settings
from ticketattr.infrastructure.schemas import schema_url

from . import reference, weights
from .command_tree import parse
from .conftest import CLI, DATA, EXAMPLES
from .entrypoint.test_corrections import correct, rows
from .entrypoint.test_serve import served

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = ROOT / ".env.example"
SETTINGS = set(known_settings())
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "deploy/README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)

_SHELL_OPERATORS = {"|", "||", "&&", ";", ">", ">>", "<", "2>", "&"}


def _links() -> list[tuple[str, str]]:
    """Every page with what it links to in this repository, pictures too."""
    return sorted(
        {
            (page, link)
            for page in PAGES
            for link in re.findall(r"\]\(([^):]+)\)", (ROOT / page).read_text(encoding="utf-8"))
        }
    )


def _anchors(page: Path) -> set[str]:
    """The headings, as a forge makes links of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _lines(page: str, mark: str = "") -> list[str]:
    """The lines that a page tells to type into a shell; with `mark`, those of the block after it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = text[text.index(mark) :]
    blocks = re.findall(r"^ *```(bash|sh|console)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [
        line.strip().removeprefix("$ ")
        for language, block in blocks[: 1 if mark else None]
        for line in block.replace("\\\n", " ").splitlines()
        if language != "console" or line.startswith("$ ")  # the others are what the program answers
    ]


def _commands_told() -> list[tuple[str, list[str]]]:
    """The words after `ticketattr`, for each time that a page has it in a block of shell."""
    return [
        (page, words)
        for page in PAGES
        # The examples of the reference are those of `--help`: tests/entrypoint/test_help.py.
        if page != "docs/reference/commands.md"
        for line in _lines(page)
        for words in _words_after_program(shlex.split(re.sub(r"\$\([^)]*\)", "x", line), comments=True))
    ]


def _words_after_program(words: Sequence[str]) -> Iterator[list[str]]:
    for place, word in enumerate(words):
        # The bare word may also be a user or a folder.
        before = words[place - 1] if place else ""
        is_first = not before or before in _SHELL_OPERATORS or bool(re.match("[A-Z_]+=", before))
        if word.endswith(("/bin/ticketattr", "/container.sh")) or (word == "ticketattr" and is_first):
            rest = words[place + 1 :]
            end = next((number for number, other in enumerate(rest) if other in _SHELL_OPERATORS), len(rest))
            yield list(rest[:end])


def test_env_example_has_every_setting_and_no_other() -> None:
    assert set(re.findall(r"^([A-Z_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)) == SETTINGS


def test_env_example_states_the_defaults(cli: CLI) -> None:
    """Running with all of its values is running with none."""
    cli.ok("run", "--dry-run")
    lines = re.findall(r"^([A-Z_]+)=(.+)$", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    cli.settings = {**dict(lines), **cli.settings}
    cli.ok("run", "--dry-run")


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_of_the_reference_says_what_the_code_says(name: str) -> None:
    written = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "write it anew: python -m tests.reference"


def test_the_reference_explains_every_top_level_key_of_a_profile() -> None:
    schema = json.loads(Path(schema_url("profile").removeprefix("file://")).read_text(encoding="utf-8"))
    assert [name for name, key in schema["properties"].items() if not (key.keys() & {"description", "$ref"})] == []


def test_the_extras_that_the_reference_weighs_are_those_that_users_install() -> None:
    declared = re.search(
        r'^dev = \[\n +"ticketattr\[([\w,]+)\]"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    assert declared
    assert set(weights.stated()) == {"", *declared[1].split(",")}


def follow(cli: CLI, lines: Sequence[str], between: Callable[[], None] = lambda: None) -> list[Result]:
    """Do what a page tells, except for installing; `serve` is up while its review page is opened with the token.

    `between` does what the page tells to do by hand, after `mkdir`.
    """
    results: list[Result] = []
    for part in " && ".join(lines).split("&&"):
        command, _, file = part.partition(" > ")
        program, *words = shlex.split(command, comments=True)
        name, is_setting, value = program.partition("=")
        if is_setting:
            program, *words = words
        if program == "mkdir":
            (cli.folder / words[-1]).mkdir(parents=True)
            between()
        elif program == "split":
            subprocess.run([program, *words], check=True)
        elif words[-1] == "serve":
            page = review_page(cli, words[:-1], token=results[-1].stdout.strip())
            assert "REQ-1070" in page
        elif re.search(r"(^|/)ticketattr$", program):
            settings = {**cli.settings, **({name: value} if is_setting else {})}
            results.append(replace(cli, settings=settings).ok(*words))
            if file:
                (cli.folder / file).write_text(results[-1].stdout, encoding="utf-8")
    return results


def review_page(cli: CLI, options: Sequence[str], token: str) -> str:
    with served(cli, *options) as (_, url):
        site = {"Sec-Fetch-Site": "same-origin"}
        signed_in = httpx.post(f"{url}/sign-in", data={"token": token}, headers=site)
        return httpx.get(f"{url}/review", cookies=signed_in.cookies, headers=site).text


@pytest.fixture
def clone(cli: CLI) -> CLI:
    """A clone without settings."""
    (cli.folder / "examples").symlink_to(EXAMPLES)
    cli.settings.clear()
    return cli


@pytest.fixture
def desk(cli: CLI) -> CLI:
    """A desk with the files that the how-to guides name: a catalog, and labelled tickets in English."""
    lines = (DATA / "gold" / "others.jsonl").read_text(encoding="utf-8").splitlines()
    labelled = [line for line in lines if json.loads(line)["lang"] == "en"]
    for name in ("all.jsonl", "gold.jsonl"):
        (cli.folder / name).write_text("\n".join(labelled), encoding="utf-8")
    with (cli.folder / "closed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*json.loads(labelled[0])], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(map(json.loads, labelled))
    tickets = (cli.folder / "closed.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (cli.folder / "my-tickets.csv").write_text("".join(tickets[:10]), encoding="utf-8")
    shutil.copy(DATA / "gold" / "catalog.yaml", cli.folder)
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    return cli


def test_the_demo_of_the_readme_ends_with_overdue_tickets_a_mail_and_a_review_page(clone: CLI) -> None:
    run, token = follow(clone, [*_lines("README.md", "<!-- demo -->"), *_lines("README.md", "<!-- review -->")])
    assert "70 of 70 tickets attributed" in run.stderr
    assert "70 overdue" in run.stderr
    assert token.stdout.startswith("tka_")
    demo = clone.folder / "demo"
    assert len([*demo.glob("output/*.xlsx")]) == len([*demo.glob("outbox/*.eml")]) == 1


def test_the_tutorial_ends_with_a_report_that_shows_the_correction(clone: CLI) -> None:
    output, corrections = clone.folder / "demo" / "output", clone.folder / "demo" / "corrections"

    def choose_another_request_type() -> None:
        (report,) = output.glob("*.xlsx")
        workbook = Path(shutil.copy(report, corrections / "corrected.xlsx"))
        correct(workbook, **{"REQ-1028": ("Hardware", "Peripheral Request")})
        os.utime(workbook, (1, 1))  # it was saved a while ago

    lines = _lines("docs/tutorial/first-report.md")
    *_, first, _, second, listed, _ = follow(clone, lines, choose_another_request_type)
    for line in ("70 of 70 tickets attributed", "1 report sent", "to do: 70 overdue, 6 to review"):
        assert line in first.stderr
    assert "70 of 70 tickets attributed" in second.stderr
    assert "REQ-1028" in listed.stdout
    assert [*(corrections / "done").glob("*.txt")]
    row = rows(max(output.glob("*.xlsx"), key=lambda path: path.stat().st_mtime))["REQ-1028"]
    assert (row["request_type"], row["source"]) == ("Peripheral Request", "corrected")


@pytest.mark.thorough
def test_a_desk_is_set_up_by_the_lines_of_the_guide(desk: CLI) -> None:
    mail = {name: value for name, value in desk.settings.items() if name.startswith(("EMAIL_", "CODEBASE_"))}
    (desk.folder / "catalog.yaml").unlink()
    desk.settings.clear()
    lines = _lines("docs/how-to/set-up.md")
    # The line that asks: tests/entrypoint/test_init.py.
    asks = lines.index(".venv/bin/ticketattr init")
    *_, tried = follow(desk, lines[:asks])
    assert Path(tried.stdout.strip()).exists()
    desk.settings |= mail
    *_, run = follow(desk, lines[asks + 1 :])
    assert "1 report sent" in run.stderr


def test_a_corrected_report_is_imported_by_the_lines_of_its_guide(desk: CLI) -> None:
    desk.ok("run")
    (report,) = desk.reports
    correct(report, T2=("Hardware Support", "Other Hardware Request"))
    lines = _lines("docs/how-to/corrections.md")
    report.rename(desk.folder / lines[0].split()[-1])
    *_, listed = follow(desk, lines)
    assert "T-2" in listed.stdout


@pytest.mark.thorough
def test_a_desk_learns_and_is_audited_by_the_lines_of_the_guide(desk: CLI) -> None:
    follow(desk, _lines("docs/how-to/learning.md"))
    assert desk.reports


def test_streams_and_partitions_are_done_by_the_lines_of_the_guide(desk: CLI) -> None:
    # The others need a cluster, a database or a model.
    follow(desk, [line for line in _lines("docs/how-to/scale.md") if not re.search("--scheduler|--plan| db ", line)])
    tickets = len((desk.folder / "all.jsonl").read_text(encoding="utf-8").splitlines())
    merged = (desk.folder / "out" / "attributions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(merged) == tickets + 2  # with the first line and the last
    assert (desk.folder / "report.csv").read_text(encoding="utf-8").count("O-") >= tickets


def test_an_auditor_gets_a_file_by_each_line_of_the_guide(desk: CLI) -> None:
    desk.ok("run")
    follow(desk, _lines("docs/explanation/auditing.md"))
    assert [path.name for path in desk.folder.iterdir() if not path.stat().st_size] == []


def test_what_the_demo_left_is_not_pending_for_a_real_run(clone: CLI) -> None:
    clone.ok("--env-file", "examples/demo.env", "run")
    clone.settings["EMAIL_TRANSPORT"] = "smtp"
    assert clone.ok("pending", "list", "--format", "json").stdout == "[]\n"


def test_what_a_page_links_to_exists() -> None:
    def exists(page: str, link: str) -> bool:
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        return target.exists() and (not anchor or anchor in _anchors(target))

    assert [(page, link) for page, link in _links() if not exists(page, link)] == []


def test_pages_of_the_site_link_to_nothing_outside_it() -> None:
    docs = ROOT / "docs"
    targets = [
        (page, link, ((ROOT / page).parent / link).resolve()) for page, link in _links() if page.startswith("docs")
    ]
    assert [(page, link) for page, link, target in targets if docs not in target.parents] == []


def test_the_site_has_every_page_in_its_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(f"docs/{page}" for page in listed) == sorted(page for page in PAGES if page.startswith("docs/"))


@pytest.mark.parametrize(("page", "words"), _commands_told(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_that_a_page_tells_to_type_can_be_typed(page: str, words: list[str]) -> None:
    parse(words)


def _named_in_sentences() -> set[str]:
    """The commands that sentences of pages, messages and comments have between backticks."""
    pages = [ROOT / page for page in (*PAGES, "CHANGELOG.md", ".env.example")]
    texts = [path.read_text(encoding="utf-8") for path in (*pages, *(ROOT / "src").rglob("*.py"))]
    return {
        " ".join(words) for text in texts for words in map(str.split, re.findall(r"`ticketattr ([^`{|…>]+)`", text))
    }


def test_a_command_that_a_sentence_names_exists_with_its_options() -> None:
    """Without its arguments, which sentences leave out."""
    named = _named_in_sentences() - {"chat"}  # what n8n calls a credential
    assert [f"{command}: {error}" for command in named if (error := _unknown_word(command))] == []


def _unknown_word(command: str) -> str:
    try:
        parse(shlex.split(command))
    except Exception as error:  # noqa: BLE001  # what Click raises for missing arguments, too
        return str(error) if str(error).startswith("No such") else ""
    return ""


@pytest.mark.parametrize("line", ["run --no-such-option", "pending list --no-such-option", "--no-such-option run"])
def test_an_option_that_no_command_has_would_be_noticed(line: str) -> None:
    with pytest.raises(Exception, match="no-such-option"):
        parse(line.split())


def _named(expression: str) -> set[tuple[str, str]]:
    """What matches in each page, with the page."""
    return {
        (page, text) for page in PAGES for text in re.findall(expression, (ROOT / page).read_text(encoding="utf-8"))
    }


def test_paths_and_names_of_the_code_on_pages_exist() -> None:
    named = _named(r"`((?:src|tests)/[\w./]+)`")
    assert len(named) > 100
    assert sorted((page, path) for page, path in named if not (ROOT / path).exists()) == []
    names = _named(r"`(ticketattr\.(?:domain|application|infrastructure|entrypoint)(?:\.\w+)+)`")
    assert len(names) > 20
    assert sorted((page, name) for page, name in names if not _is_there(name)) == []


def _is_there(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return find_spec(module) is not None and hasattr(import_module(module), attribute)


def test_a_test_that_a_page_names_exists() -> None:
    # A test may stand in a class.
    named = _named(r"\b(tests/[\w./]+::(?:\w+::)?\w+)")
    assert len(named) > 100
    assert sorted((page, test) for page, test in named if not _has_test(*test.split("::")[:: test.count("::")])) == []


def _has_test(path: str, name: str) -> bool:
    file = ROOT / path
    return file.exists() and bool(re.search(rf"^ *def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_a_module_that_a_page_tells_to_run_exists() -> None:
    named = _named(r"python -m\s+([\w.]+)")
    assert ("CONTRIBUTING.md", "tests.reference") in named
    assert sorted((page, name) for page, name in named if find_spec(name) is None) == []
