"""A profile is read whole, or refused with the line of what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.helpdesk.profile import Profile
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile

PROFILE = """\
name: Our desk
verified: documentation
page: /tickets/${id}
auth: {user: "${key}", password: "${secret}"}
session:
  request: {method: POST, path: /login, json: {user: "${key}"}}
  keep: {token: token}
tickets:
  request:
    path: /tickets
    headers: {X-Token: "${session.token}"}
    query: {page: "${page}", limit: "${size}", filter: "${filter}"}
  filters: {join: " and ", open: state=open, since: "changed>${since}"}
  paging: {style: page, first: 1, size: 25}
  items: [data, "@"]
  total: meta.total
  open: state != 'closed'
  keep: [open, uncategorised]
  fields:
    id: id
    short_description: [title, subject]
detail:
  request: {path: "/tickets/${id}"}
  at_most: 2
text:
  kind: html
  thread: {messages: detail.messages, body: message.text}
limits: {requests_per_minute: 60}
"""


def profile(text: str = PROFILE) -> Profile:
    return parse_profile(text.encode(), "desk.yaml")


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        profile(text)
    return str(caught.value)


def test_a_profile_says_everything_about_a_helpdesk() -> None:
    read = profile()
    assert (read.name, read.requests_per_minute, read.tickets.paging.size) == ("Our desk", 60, 25)
    assert [expression.text for expression in read.tickets.fields["short_description"]] == ["title", "subject"]
    assert read.tickets.keep == {"open", "uncategorised"}
    assert read.detail is not None
    assert read.detail.at_most == 2


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("  items:", "  itmes:", 15, "'itmes' is not known here; did you mean 'items'?"),
        ("name: Our desk", "name: Our desk\nupdates: {}", 2, "'updates' is not known here"),
        ("total: meta.total", "total: meta.total(", 16, "`meta.total(` is not a JMESPath expression"),
        ("total: meta.total", "total: count(meta)", 16, "there is no function count()"),
        ("open: state != 'closed'", "open: state = 'closed'", 17, "is not a JMESPath expression"),
        ("    id: id\n", "", 20, "'id' is missing"),
        ("verified: documentation", "verified: yes", 2, "expected one of server, documentation here"),
        ("style: page", "style: pages", 14, "expected one of none, page, offset"),
        ("style: page, first: 1", "style: cursor", 14, "'next' is missing"),
        ("style: page, first: 1", "style: offset", 12, "the placeholder ${page} does not belong here"),
        ('page: "${page}", ', "", 10, "the request nowhere says ${page}"),
        ("size: 25", "size: many", 14, "expected a whole number from 1 to 10,000 here"),
        ("size: 25", "size: 25, next: x", 14, "'next' is not known here"),
        ("path: /tickets\n", "path: /tickets/${secret}\n", 10, "the placeholder ${secret} does not belong here"),
        ("path: /tickets\n", "path: /${session.token}\n", 10, "the placeholder ${session.token} does not belong here"),
        ("path: /tickets\n", "path: https://evil.example/\n", 10, "a path begins with /"),
        ("${session.token}", "${session.tokne}", 11, "the placeholder ${session.tokne} does not belong here"),
        ("state=open", '"state=${since}"', 13, "the placeholder ${since} does not belong here"),
        ("total: meta.total", "total: '${total}'", 16, "the placeholder ${total} does not belong here"),
        ("path: /login", "method: DELETE, path: /login", 6, "'method' occurs twice"),
        ("method: POST", "method: DELETE", 6, "expected one of GET, POST here"),
        ("keep: [open, uncategorised]", "keep: [closed]", 18, "expected one of open, uncategorised here"),
        ("page: /tickets/${id}", "page: /tickets/${number}", 3, "the placeholder ${number} does not belong here"),
        ("state=open", '"\\ud800"', 13, "half a surrogate pair"),
        ("kind: html", "kind: word", 26, "expected one of auto, html, plain here"),
        ("requests_per_minute: 60", "requests_per_minute: 0", 28, "expected a whole number"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(right: str, wrong: str, line: int, message: str) -> None:
    assert PROFILE.count(right) == 1
    text = refusal(PROFILE.replace(right, wrong))
    assert message in text
    assert f"desk.yaml, line {line}: " in text


def test_keeping_open_tickets_needs_an_expression_that_tells_them() -> None:
    assert "'open' is missing" in refusal(PROFILE.replace("  open: state != 'closed'\n", ""))


@pytest.mark.parametrize("text", ["", "[]", "a: &x 1\nb: *x", "!!python/object:os.system {}", "name: [", "\t"])
def test_what_is_no_profile_is_refused(text: str) -> None:
    assert refusal(text)


def read_or_refusal(content: bytes) -> str:
    """Nothing for a profile, and the message for what is none."""
    try:
        parse_profile(content, "desk.yaml")
    except SettingsError as error:
        return str(error)
    return ""


@given(st.binary())
def test_whatever_comes_is_a_profile_or_refused(content: bytes) -> None:
    assert len(read_or_refusal(content)) < 1_000


@given(st.integers(0, len(PROFILE)), st.sampled_from(["${", "}", ":", "[", "'", "\n", " ", "@", "!", "`"]))
def test_a_profile_with_one_character_too_many_is_a_profile_or_refused(place: int, character: str) -> None:
    assert len(read_or_refusal(f"{PROFILE[:place]}{character}{PROFILE[place:]}".encode())) < 1_000
