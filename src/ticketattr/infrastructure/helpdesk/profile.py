"""What a profile says about a helpdesk: data, nothing of which can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from ..options import Filter
from .expressions import Expression

Verified = Literal["server", "documentation"]
"""Proved against the real server, or written from its documentation."""

PagingStyle = Literal["none", "page", "offset", "cursor", "next_url", "link_header", "range", "ids"]
PAGING_STYLES: tuple[PagingStyle, ...] = get_args(PagingStyle)

TextKind = Literal["auto", "html", "plain"]
"""What descriptions are written in; `auto` looks at each."""

FIELDS = (
    "id",
    "short_description",
    "long_description",
    "requester_email",
    "created_at",
    "request_category",
    "request_type",
    "sla",
    "status",
    "priority",
    "assignee",
    "group",
    "url",
    "updated_at",
    "version",
)
"""The fields of a ticket that a profile can fill."""
COLUMN_FIELDS = tuple(name for name in FIELDS if name not in ("sla", "version"))
"""Those that a column of a file can hold."""

Alternatives: TypeAlias = tuple[Expression, ...]
"""Expressions of which the first that finds something counts."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its values with placeholders. Of `json` and `form` at most one is set."""

    path: str
    method: str = "GET"
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User name and password of HTTP Basic, with placeholders."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class SessionStep:
    """A request before all others, and what to keep of its answer as `${session.NAME}`."""

    request: Request
    keep: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Paging:
    """How the pages of the queue follow one another.

    `size` tickets are asked for at once, `first` is the number of the first page or ticket. `next` finds the next
    cursor or URL, `more` whether there is more, `ids` the ids that `records` then asks for.
    """

    style: PagingStyle = "none"
    size: int = 100
    first: int = 0
    next: Expression | None = None
    more: Expression | None = None
    ids: Expression | None = None
    records: Request | None = None


@dataclass(frozen=True, slots=True)
class QueryFilters:
    """What to ask for so that the helpdesk filters: query parameters, or texts that `join` puts into `${filter}`."""

    join: str = " "
    always: Any = None
    open: Any = None
    uncategorised: Any = None
    since: Any = None


@dataclass(frozen=True, slots=True)
class TicketsPart:
    """How the queue is read. `open` says of a ticket whether it is open; without it, every ticket counts as open."""

    request: Request
    items: Alternatives
    fields: Mapping[str, Alternatives]
    paging: Paging = Paging()
    filters: QueryFilters = QueryFilters()
    total: Expression | None = None
    total_header: str = ""
    error: Expression | None = None
    open: Expression | None = None
    keep: frozenset[Filter] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


NO_API = TicketsPart(Request(""), (), {})
"""Stands in a profile that only names the columns of a file."""


@dataclass(frozen=True, slots=True)
class DetailPart:
    """A second request for each ticket; its answer stands under `detail` beside the fields of the ticket.

    `values` find more placeholders in the ticket; where one of them finds nothing, nothing is asked.
    """

    request: Request
    values: Mapping[str, Expression] = field(default_factory=dict)
    at_most: int = 4
    error: Expression | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """The messages of a ticket, oldest first. The first one always counts, a later one where `counts` says so.

    Expressions but `messages` are applied to `{message, ticket}`. Messages with the same `group` are versions of one,
    of which the first is taken. At most `at_most` later messages count, the newest.
    """

    messages: Expression
    body: Expression
    is_html: Expression | None = None
    counts: Expression | None = None
    group: Expression | None = None
    at_most: int = 5


@dataclass(frozen=True, slots=True)
class CategoriesPart:
    """How the helpdesk is asked for its own categories, in one answer.

    `category` and `request_type` find the names in each item. With a `separator`, `category` finds a path, of which the
    first part is the category and the rest the request type. Without a request type, it is named like the category.
    """

    request: Request
    items: Alternatives
    category: Expression
    request_type: Expression | None = None
    separator: str = ""


@dataclass(frozen=True, slots=True)
class TextPart:
    kind: TextKind = "auto"
    thread: Thread | None = None


NoteKind = Literal["note", "tag"]
"""A message inside the ticket that only the desk sees, or a field of the ticket that holds the text."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where the ids of names are found: `items` in the answer, and the name and the id of each."""

    request: Request
    items: Alternatives
    name: Expression
    id: Expression
    error: Expression | None = None


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """How a name of the catalog is sent: by an id that `lookup` finds, by `map`, or, with neither, as it is.

    A longer value than `longest` characters is not sent at all.
    """

    lookup: Lookup | None = None
    map: Mapping[str, Any] = field(default_factory=dict)
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class ReadPart:
    """How one ticket is read again. `item` finds it in the answer; `fields` replace those of `tickets.fields`.

    `version` or `version_header` find what changes with each change; `values` find further placeholders.
    """

    request: Request
    item: Expression | None = None
    fields: Mapping[str, Alternatives] = field(default_factory=dict)
    open: Expression | None = None
    version: Expression | None = None
    version_header: str = ""
    values: Mapping[str, Expression] = field(default_factory=dict)
    error: Expression | None = None


@dataclass(frozen=True, slots=True)
class SetPart:
    """The request that sets the fields. `stale`: the statuses that refuse a stale write; `empty` empties a field."""

    request: Request
    stale: frozenset[int]
    empty: Any = ""
    error: Expression | None = None


@dataclass(frozen=True, slots=True)
class NotePart:
    """The request that adds the note. `texts` finds the notes in the answer of `read`, or in the ticket without it.

    `next` finds the URL of the next page of notes.
    """

    kind: NoteKind
    request: Request
    texts: Expression
    stale: frozenset[int]
    read: Request | None = None
    next: Expression | None = None
    error: Expression | None = None


@dataclass(frozen=True, slots=True)
class UpdatePart:
    """How a ticket is written. `values` say by field how a name of the catalog is sent."""

    read: ReadPart
    set: SetPart | None = None
    note: NotePart | None = None
    values: Mapping[str, WrittenValue] = field(default_factory=dict)
    verified: Verified = "documentation"


@dataclass(frozen=True, slots=True)
class Profile:
    """A helpdesk. `columns` are those of its exports, by the field that they hold, and `sheet` the sheet of a workbook.

    `page` leads to a ticket for a person, relative to the base URL, with fields as placeholders.

    `needs`, `proved` and `check_first` are for the reader of the table in docs/how-to/helpdesks.md; `url`, `key` and
    `secret` say what the three settings hold, and `secrets` which of the two secrets the requests use.
    """

    name: str
    verified: Verified
    tickets: TicketsPart
    secrets: frozenset[str]
    url: str = ""
    key: str = ""
    secret: str = ""
    needs: str = ""
    proved: str = ""
    check_first: str = ""
    page: str = ""
    auth: BasicAuth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    session: SessionStep | None = None
    detail: DetailPart | None = None
    text: TextPart = TextPart()
    update: UpdatePart | None = None
    requests_per_minute: int | None = None
    categories: CategoriesPart | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sheet: str = ""

    @property
    def credentials(self) -> str:
        """The settings that hold what the profile signs in with, for messages; a URL may hold a user, too."""
        return " and ".join(f"HELPDESK_API_{name.upper()}" for name in sorted(self.secrets)) or "HELPDESK_API_URL"

    @property
    def has_api(self) -> bool:
        """Whether the profile says how an API is asked; otherwise it only reads files."""
        return self.tickets is not NO_API
