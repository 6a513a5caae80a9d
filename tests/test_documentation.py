"""What README, the pages in docs and .env.example say is what the program does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest

from ticketattr.entrypoint.settings.names import known_settings
from ticketattr.errors import ExitCode

from .command_tree import commands, parse
from .conftest import CLI, EXAMPLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = ROOT / ".env.example"
SETTINGS = set(known_settings())
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)
SECURITY = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")

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


def _commands_told() -> list[tuple[str, list[str]]]:
    """The words after `ticketattr`, for each time that a page has it in a block of shell."""
    return [
        (page, words)
        for page in PAGES
        for block in re.findall(r"^```(?:bash|sh|shell)\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)
        for line in re.sub(r"\$\([^)]*\)", "x", block.replace("\\\n", " ")).splitlines()
        for words in _words_after_program(shlex.split(line, comments=True))
    ]


def _words_after_program(words: Sequence[str]) -> Iterator[list[str]]:
    for place, word in enumerate(words):
        # The bare word may also be a user or a folder.
        is_first = place == 0 or words[place - 1] in _SHELL_OPERATORS
        if word.endswith("/bin/ticketattr") or (word == "ticketattr" and is_first):
            rest = words[place + 1 :]
            end = next((number for number, other in enumerate(rest) if other in _SHELL_OPERATORS), len(rest))
            yield list(rest[:end])


def test_env_example_has_every_setting_and_no_other() -> None:
    assert set(re.findall(r"^([A-Z_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)) == SETTINGS


def test_readme_has_every_setting_and_no_other() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]{4,})`", table)) == SETTINGS


def test_env_example_states_the_defaults(cli: CLI) -> None:
    """Running with all of its values is running with none."""
    cli.ok("run", "--dry-run")
    lines = re.findall(r"^([A-Z_]+)=(.+)$", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    cli.settings = {**dict(lines), **cli.settings}
    cli.ok("run", "--dry-run")


def test_readme_has_every_exit_code_and_no_other() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = [int(code) for code in re.findall(r"\b(\d+)\b(?=[^|]*\|)", table)]
    assert sorted(codes) == sorted(code.value for code in ExitCode)


def test_readme_has_every_command_and_no_other() -> None:
    told = re.findall(r"^\| `ticketattr ([a-z]+(?: [a-z]+)?)", README, re.MULTILINE)
    assert sorted(told) == sorted(commands())


def test_the_demo_of_the_readme_ends_with_a_workbook_and_a_mail(cli: CLI) -> None:
    (cli.folder / "examples").symlink_to(EXAMPLES)
    cli.settings.clear()
    result = cli.ok("--env-file", "examples/demo.env", "run")
    assert "70 of 70 tickets attributed" in result.stderr
    demo = cli.folder / "demo"
    assert len([*demo.glob("output/*.xlsx")]) == len([*demo.glob("outbox/*.eml")]) == 1


def test_what_the_demo_left_is_not_pending_for_a_real_run(cli: CLI) -> None:
    (cli.folder / "examples").symlink_to(EXAMPLES)
    cli.settings.clear()
    cli.ok("--env-file", "examples/demo.env", "run")
    cli.settings["EMAIL_TRANSPORT"] = "smtp"
    assert cli.ok("pending", "list", "--format", "json").stdout == "[]\n"


def test_what_a_page_links_to_exists() -> None:
    def exists(page: str, link: str) -> bool:
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        return target.exists() and (not anchor or anchor in _anchors(target))

    assert [(page, link) for page, link in _links() if not exists(page, link)] == []


@pytest.mark.parametrize(("page", "words"), _commands_told(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_that_a_page_tells_to_type_can_be_typed(page: str, words: list[str]) -> None:
    parse(words)


@pytest.mark.parametrize("line", ["run --no-such-option", "pending list --no-such-option", "--no-such-option run"])
def test_an_option_that_no_command_has_would_be_noticed(line: str) -> None:
    with pytest.raises(Exception, match="no-such-option"):
        parse(line.split())


def test_paths_and_names_of_the_architecture_page_exist() -> None:
    paths = set(re.findall(r"`((?:src|tests)/[\w./]+)`", ARCHITECTURE))
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
    names = [name.rpartition(".") for name in set(re.findall(r"`(ticketattr(?:\.\w+)+)`", ARCHITECTURE))]
    assert sorted(name for module, _, name in names if not hasattr(import_module(module), name)) == []


def test_every_test_that_the_security_page_names_exists() -> None:
    # A test may stand in a class.
    named = re.findall(r"`(tests/[^:`]+)::(?:\w+::)?(\w+)`", SECURITY)
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^ *def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []
