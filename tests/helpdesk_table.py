"""`python -m tests.helpdesk_table`: writes the table of docs/how-to/helpdesks.md anew, from the shipped profiles."""

from __future__ import annotations

from pathlib import Path

from ticketattr.infrastructure.helpdesk.profile import Profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, read_profile

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "helpdesks.md"
_BEGIN, _END = "<!-- profiles -->\n", "<!-- end of profiles -->\n"
_HEADINGS = (
    "`HELPDESK_PROFILE`",
    "helpdesk",
    "verified by",
    "`HELPDESK_API_URL`",
    "key",
    "secret",
    "needs",
    "writes",
    "check first",
)
_FILES = (
    "none",
    "an export as a file",
    "the tests: exports in the shape of Zammad, GLPI, Jira, ServiceNow, Freshdesk, Zendesk, osTicket, OTRS and Redmine",
    "`export.csv`",
    "-",
    "-",
    "A column for a short or a long description.",
    "-",
    "What was taken for what: `ticketattr fetch --preview 3`.",
)


def table() -> str:
    """Returns the table as Markdown: a row for files, and one for each profile."""
    lines = [_row(_HEADINGS), _row(["---"] * len(_HEADINGS)), _row(_FILES)]
    for name in profile_names():
        profile = read_profile(name)
        verified = f"the {profile.verified}" if profile.verified == "server" else "its documentation"
        cells = (
            f"`{name}`",
            profile.name,
            f"{verified}: {profile.proved}" if profile.proved else verified,
            f"`{profile.url}`",
            profile.key or "-",
            profile.secret or "-",
            profile.needs,
            _writes(profile),
            profile.check_first,
        )
        lines.append(_row(cells))
    return "".join(lines)


def _writes(profile: Profile) -> str:
    update = profile.update
    if update is None:
        return "-"
    what = [*(["fields"] if update.set else []), *([update.note.kind] if update.note else [])]
    by = "the server" if update.verified == "server" else "its documentation"
    return f"{', '.join(what)} ({by})"


def table_of(page: str) -> str:
    """Returns the table that stands in the text of the page."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace(table_of(text), table()), encoding="utf-8")
