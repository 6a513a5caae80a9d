"""The service catalog as YAML is read whole, or refused with file, line and reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.errors import CatalogError, InputError
from ticketattr.infrastructure import yaml_nodes
from ticketattr.infrastructure.catalog import yaml_format
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.options import HTTPPolicy

from ...conftest import DATA, EXAMPLES
from ...servers import HTTPServer, Response

POLICY = HTTPPolicy(max_retries=0, backoff_factor=0.0, timeout=5.0)

CATALOG = """\
service_catalog:
  catalog:
    categories:
    - name: Access
      requests:
      - name: Password Reset
        sla: {value: 4, unit: hours}
"""

SECOND_REQUEST = """\
      - name: Account Unlock
        sla: {value: 4, unit: hours}
"""

SECOND_CATEGORY = """\
    - name: Hardware
      requests:
      - name: Laptop Repair
        sla: {value: 3, unit: days}
"""


def parse(text: str | bytes) -> ServiceCatalog:
    return parse_catalog(text.encode() if isinstance(text, str) else text, "catalog.yaml")


def with_(old: str, new: str) -> str:
    """The catalog above, with `old` replaced by `new`."""
    assert old in CATALOG
    return CATALOG.replace(old, new)


def refusal(text: str | bytes) -> str:
    with pytest.raises(CatalogError) as caught:
        parse(text)
    return str(caught.value)


# Valid catalogs


def test_entries_come_in_the_order_of_the_file() -> None:
    assert parse(CATALOG + SECOND_REQUEST + SECOND_CATEGORY).entries == (
        RequestType("Access", "Password Reset", SLA(4, "hours")),
        RequestType("Access", "Account Unlock", SLA(4, "hours")),
        RequestType("Hardware", "Laptop Repair", SLA(3, "days")),
    )


@pytest.mark.parametrize("path", [DATA / "catalog.yaml", EXAMPLES / "catalog.yaml"], ids=["test data", "example"])
def test_the_catalogs_of_this_repository_are_valid(path: Path) -> None:
    assert YAMLCatalog(str(path), POLICY).fetch_catalog().entries


@pytest.mark.parametrize(
    ("written", "sla"),
    [
        ("{value: 30, unit: minutes}", SLA(30, "minutes")),
        ("{value: 1, unit: minute}", SLA(1, "minutes")),
        ("{value: 1, unit: Hour}", SLA(1, "hours")),
        ("{value: 1, unit: ' DAY '}", SLA(1, "days")),
        ("{value: 2, unit: weeks}", SLA(2, "weeks")),
        ("{value: 0, unit: days}", SLA(0, "days")),
        ("{value: 1.5, unit: days}", SLA(1.5, "days")),
        ("{value: 2.0, unit: days}", SLA(2, "days")),
    ],
)
def test_an_sla_is_a_number_of_at_least_0_and_a_unit(written: str, sla: SLA) -> None:
    (entry,) = parse(with_("{value: 4, unit: hours}", written)).entries
    assert entry.sla == sla


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("2024", "2024"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("no", "no"),
        ("True", "True"),
        ("2026-11-23", "2026-11-23"),
        ("'quoted: yes'", "quoted: yes"),
        ("' spaces '", "spaces"),
        ("SaaS Platform Access (Jira/Salesforce)", "SaaS Platform Access (Jira/Salesforce)"),
        ("Zugänge", "Zugänge"),
    ],
)
def test_a_name_stays_what_its_author_sees(written: str, name: str) -> None:
    (by_type,) = parse(with_("Password Reset", written)).entries
    (by_category,) = parse(with_("Access", written)).entries
    assert (by_type.name, by_category.category) == (name, name)


def test_a_request_type_may_describe_itself() -> None:
    more = """\
        description: For people who forgot it.
        keywords: [password, 2FA, no]
        examples:
        - I cannot log in
        owner: {team: identity}
"""
    (entry,) = parse(CATALOG + more).entries
    assert entry.description == "For people who forgot it."
    assert entry.keywords == ("password", "2FA", "no")
    assert entry.examples == ("I cannot log in",)


def test_what_describes_a_request_type_may_be_empty() -> None:
    (entry,) = parse(f"{CATALOG}        description:\n        keywords: []\n        examples: []\n").entries
    assert (entry.description, entry.keywords, entry.examples) == ("", (), ())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + CATALOG.encode(), id="byte order mark"),
        pytest.param(CATALOG.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(b"# ours\n---\n" + CATALOG.encode() + b"...\n", id="document marks"),
        pytest.param(b"%YAML 1.1\n---\n" + CATALOG.encode(), id="YAML 1.1"),
        pytest.param(("version: 3\n" + CATALOG).encode(), id="other fields"),
    ],
)
def test_how_a_file_was_saved_does_not_matter(content: bytes) -> None:
    assert parse(content) == parse(CATALOG)


def test_anchors_without_aliases_are_allowed() -> None:
    text = with_("name: ", "name: &name ") + SECOND_CATEGORY
    assert parse(text) == parse(CATALOG + SECOND_CATEGORY)


# Refused catalogs


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("", 1, "the catalog is empty", id="empty"),
        pytest.param("# nothing yet\n", 1, "the catalog is empty", id="only a comment"),
        pytest.param("- Access\n", 1, "expected `name: value` pairs", id="a list"),
        pytest.param("just text\n", 1, "expected `name: value` pairs", id="a text"),
        pytest.param("catalog: {}\n", 1, "'service_catalog' is missing", id="no service_catalog"),
        pytest.param("service_catalog:\n  x: 1\n", 2, "'catalog' is missing", id="no catalog"),
        pytest.param("service_catalog:\n  catalog:\n    x: 1\n", 3, "'categories' is missing", id="no categories"),
        pytest.param(
            "service_catalog:\n  catalog:\n    categories:\n",
            3,
            "expected a list with at least one",
            id="null categories",
        ),
        pytest.param(
            "service_catalog:\n  catalog:\n    categories: []\n",
            3,
            "expected a list with at least",
            id="empty categories",
        ),
        pytest.param(with_("- name: Access\n      req", "- req"), 4, "'name' is missing", id="category without name"),
        pytest.param(with_("Access", ""), 4, "a category has no name", id="empty category name"),
        pytest.param(with_("Access", "' '"), 4, "a category has no name", id="blank category name"),
        pytest.param(with_("Access", "[Access]"), 4, "expected a text", id="category name is a list"),
        pytest.param(with_("requests:", "types:"), 4, "'requests' is missing", id="category without requests"),
        pytest.param(f"{CATALOG}    - just text\n", 8, "expected `name: value` pairs", id="category is a text"),
        pytest.param(f"{CATALOG}    - name: X\n      requests: []\n", 9, "for category 'X'", id="no request types"),
        pytest.param(
            with_("- name: Password Reset\n        sla", "- sla"), 6, "'name' is missing", id="type without name"
        ),
        pytest.param(with_("Password Reset", "~"), 6, "a request type has no name", id="null type name"),
        pytest.param(with_("sla", "SLA"), 6, "'sla' is missing", id="no SLA"),
        pytest.param(
            with_("{value: 4, unit: hours}", "4 hours"), 7, "write {value: 4, unit: hours}", id="SLA is a text"
        ),
        pytest.param(with_("value: 4, ", ""), 7, "'value' is missing", id="SLA without value"),
        pytest.param(with_(", unit: hours", ""), 7, "'unit' is missing", id="SLA without unit"),
        pytest.param(
            with_("hours", "fortnights"), 7, "the SLA unit of 'Password Reset' is not one of", id="unknown unit"
        ),
        pytest.param(with_("hours", "''"), 7, "the SLA unit of 'Password Reset' is not one of", id="empty unit"),
        pytest.param(with_("hours", "[hours]"), 7, "expected a text", id="unit is a list"),
        *(
            pytest.param(
                with_("4", value),
                7,
                "the SLA value of 'Password Reset' is not a number of at least 0",
                id=f"value {value}",
            )
            for value in (
                "-1",
                "-0.5",
                ".nan",
                ".inf",
                "-.inf",
                "1e999",
                "'4'",
                "four",
                "true",
                "''",
                "~",
                "[4]",
                "0x10",
            )
        ),
        pytest.param(f"{CATALOG}        keywords: password\n", 8, "expected a list", id="keywords are a text"),
        pytest.param(f"{CATALOG}        keywords: [[a]]\n", 8, "expected a text", id="keyword is a list"),
        pytest.param(f"{CATALOG}        description: [a]\n", 8, "expected a text", id="description is a list"),
        pytest.param("? [a, b]\n: c\n", 1, "expected a text", id="key is a list"),
    ],
)
def test_missing_and_wrong_values_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    message = refusal(text)
    assert message.startswith(f"catalog.yaml, line {line}: ")
    assert reason in message


@pytest.mark.parametrize(
    ("sla", "reason"),
    [
        ("{value: 1,5, unit: hours}", "no comma in a number: write value: 1.5"),
        ("{value: 1,5, unit: hours, response: {value: 1, unit: hours}}", "no comma in a number: write value: 1.5"),
        ("{value: 4, unit: hours, response: {value: 0,5, unit: hours}}", "no comma in a number: write value: 0.5"),
        ("{value: 1,500, unit: minutes}", "write value: 1.500 or value: 1500"),
        ("{value: '1,5', unit: hours}", "write 1.5, with a decimal point"),
        ("{value: '8', unit: hours}", "write 8 without quotes"),
        ("{value: 4h, unit: hours}", "write value: 4 and unit: hours"),
        ("4h", "write {value: 4, unit: hours}"),
        ("1,5 days", "write {value: 1.5, unit: days}"),
        ("{value: 4, unit: h}", "write hours"),
        ("{value: 4, unit: min.}", "write minutes"),
        ("{value: 2, unit: business days}", "write days, and say in 'service_hours' when the desk works"),
        ("{value: 4, unit: hours, clock: business}", "'clock' is not a field of an SLA"),
        ("{value: 4, unit: hours, Value: 5}", "did you mean 'value'?"),
        ("{vlaue: 4, unit: hours}", "did you mean 'value'?"),
        ("{resolution: {value: 4, unit: hours}, respons: {value: 4, unit: hours}}", "did you mean 'response'?"),
    ],
)
def test_an_sla_that_yaml_would_read_as_something_else_is_refused_with_what_to_write(sla: str, reason: str) -> None:
    message = refusal(with_("{value: 4, unit: hours}", sla))
    assert message.startswith("catalog.yaml, line 7: ")
    assert reason in message


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("sla:", "keyword: [reset]\n        sla:", "'keyword' is not a field of the catalog; did you mean 'keywords'?"),
        ("sla:", "Examples: [reset]\n        sla:", "did you mean 'examples'?"),
        ("sla:", "desciption: reset\n        sla:", "did you mean 'description'?"),
        ("requests:", "request: []\n      requests:", "did you mean 'requests'?"),
        ("sla:", "SLAs: 4\n        sla:", "did you mean 'sla'?"),
    ],
)
def test_a_misspelt_field_is_refused_because_it_would_be_ignored(old: str, new: str, reason: str) -> None:
    assert reason in refusal(with_(old, new))


@pytest.mark.parametrize("field", ["owner: desk", "id: 12", "notes: [a]", "approval: true", "title: x", "labels: [b]"])
def test_other_fields_of_a_request_type_are_ignored(field: str) -> None:
    assert parse(f"{CATALOG}        {field}\n").entries == parse(CATALOG).entries


def test_all_mistakes_of_a_catalog_are_named_at_once_in_the_order_of_its_lines() -> None:
    text = (
        with_("{value: 4, unit: hours}", "{value: 1,5, unit: hours}")
        + "      - name: ''\n        sla: {value: 4, unit: hours}\n"
        + "      - name: Account Unlock\n        sla: {value: 4, unit: moons}\n        keyword: [unlock]\n"
        + "    - requests: []\n"
        + "    - name: Hardware\n      requests: []\n"
    )
    message = refusal(text)
    assert [int(line) for line in re.findall(r"line (\d+): ", message)] == [7, 8, 11, 12, 13, 15]


def test_of_very_many_mistakes_the_first_ones_are_named() -> None:
    requests = "".join(f"      - name: Request {n}\n        sla: {{value: 4, unit: h}}\n" for n in range(100))
    message = refusal(CATALOG + requests)
    assert message.count("line ") == 20
    assert "80 more" in message


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param(f"{CATALOG}service_catalog: {{}}\n", 8, "'service_catalog' occurs twice", id="top key"),
        pytest.param(f"{CATALOG}      name: Access\n", 8, "'name' occurs twice", id="key of a category"),
        pytest.param(f"{CATALOG}        name: Other\n", 8, "'name' occurs twice", id="key of a request type"),
        pytest.param(with_("value: 4", "value: 4, value: 5"), 7, "'value' occurs twice", id="key of an SLA"),
        *(
            pytest.param(CATALOG + SECOND_REQUEST.replace("Account Unlock", name), 8, f"'{name}' occurs twice", id=case)
            for name, case in [
                ("Password Reset", "request type"),
                ("PASSWORD reset", "request type in other case"),
                ("Password  Reset", "request type with other white space"),
            ]
        ),
        *(
            pytest.param(CATALOG + SECOND_CATEGORY.replace("Hardware", name), 8, f"'{name}' occurs twice", id=case)
            for name, case in [("Access", "category"), ("access", "category in other case")]
        ),
        pytest.param(
            with_("Access", "Zugänge") + SECOND_CATEGORY.replace("Hardware", "Zuga\u0308nge"),
            8,
            "occurs twice",
            id="category spelled otherwise in Unicode",
        ),
        pytest.param(
            with_("Access", "A") + SECOND_CATEGORY.replace("Hardware", "A"),
            8,
            "category 'A' occurs twice",
            id="category of one letter",
        ),
        pytest.param(
            with_("Password Reset", "A") + SECOND_REQUEST.replace("Account Unlock", "A"),
            8,
            "request type 'A' occurs twice",
            id="request type of one letter",
        ),
    ],
)
def test_duplicates_are_refused_with_the_line_of_the_second_one(text: str, line: int, reason: str) -> None:
    message = refusal(text)
    assert message.startswith(f"catalog.yaml, line {line}: ")
    assert reason in message


def test_two_categories_may_have_request_types_of_the_same_name() -> None:
    assert len(parse(CATALOG + SECOND_CATEGORY.replace("Laptop Repair", "Password Reset")).entries) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("service_catalog: [unclosed\n", 2, id="open bracket"),
        pytest.param("service_catalog:\n\tcatalog: 1\n", 2, id="tab"),
        pytest.param(with_("Access", "Access: all"), 4, id="colon in a name"),
        pytest.param(f"{CATALOG}---\n{CATALOG}", 8, id="two documents"),
        pytest.param(f"%YAML 3.0\n---\n{CATALOG}", 1, id="YAML of the future"),
        pytest.param(with_("Access", "'Access"), 8, id="open quote"),
    ],
)
def test_invalid_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    message = refusal(text)
    assert message.startswith(f"catalog.yaml, line {line} is not valid YAML: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(CATALOG.replace("Access", "Zugänge").encode("latin-1"), "is not valid YAML", id="Latin-1"),
        pytest.param(CATALOG.encode("utf-16"), "is not valid YAML", id="UTF-16"),
        pytest.param(b"PK\x03\x04\x00\x00", "is not valid YAML", id="a zip file"),
        pytest.param(b"<!DOCTYPE html><title>Log in</title>", "is a web page, not YAML", id="web page"),
        pytest.param(b"\n  <html>", "is a web page, not YAML", id="web page after blanks"),
    ],
)
def test_content_that_is_not_a_catalog_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    message = refusal(content)
    assert message.startswith(f"catalog.yaml {reason}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(with_("Password Reset", "&a Reset") + "        examples: [*a]\n", 8, id="one alias"),
        pytest.param("a: *nowhere\n", 1, id="alias of nothing"),
        pytest.param(
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)), 2, id="bomb"
        ),
        pytest.param("a: &a [*a]\n", 1, id="endless"),
    ],
)
def test_aliases_are_refused(text: str, line: int) -> None:
    assert refusal(text) == f"catalog.yaml, line {line}: aliases are not allowed"


@pytest.mark.parametrize(
    "name",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "!local Access",
        "!!binary QQ==",
        "!!set {}",
    ],
)
def test_tags_are_refused(name: str) -> None:
    message = refusal(with_("Access", name))
    assert message.startswith("catalog.yaml, line 4: the tag ")
    assert message.endswith(" is not allowed")


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "], ids=["flow lists", "flow maps", "block lists", "keys"])
def test_deep_nesting_is_refused(bracket: str) -> None:
    assert refusal(bracket * 100_000) == "catalog.yaml, line 1: nested too deeply"


def test_an_oversize_catalog_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_format, "MAX_BYTES", 1000)
    assert refusal("\0" * 1001) == "catalog.yaml is larger than 1,000 bytes"


def test_a_name_that_no_file_can_hold_is_refused() -> None:
    assert refusal(with_("Access", r'"\ud800"')).startswith("catalog.yaml, line 4: ")


# Locations


def test_a_catalog_may_come_from_a_url(http: HTTPServer) -> None:
    http.routes["/catalog.yaml"] = [Response(302, headers={"Location": "/moved.yaml"})]
    http.routes["/moved.yaml"] = [Response(body=CATALOG.encode())]
    assert YAMLCatalog(f"{http.url}/catalog.yaml", POLICY).fetch_catalog() == parse(CATALOG)
    assert [asked.method for asked in http.requests] == ["GET", "GET"]


@pytest.mark.parametrize("as_url", [False, True], ids=["path", "file URL"])
def test_a_catalog_may_lie_in_a_file(tmp_path: Path, as_url: bool) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(CATALOG)
    assert YAMLCatalog(path.as_uri() if as_url else str(path), POLICY).fetch_catalog() == parse(CATALOG)


def test_an_error_names_the_url_of_the_catalog_without_its_secrets(http: HTTPServer) -> None:
    http.routes["/catalog.yaml"] = [Response(body=with_("hours", "fortnights").encode())]
    url = http.url.replace("//", "//canary:canary@")
    with pytest.raises(CatalogError) as caught:
        YAMLCatalog(f"{url}/catalog.yaml?token=canary", POLICY).fetch_catalog()
    assert str(caught.value).startswith(f"{http.url}/catalog.yaml, line 7: ")
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_an_error_names_the_path_of_the_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(with_("hours", "fortnights"))
    with pytest.raises(CatalogError) as caught:
        YAMLCatalog(str(path), POLICY).fetch_catalog()
    assert str(caught.value).startswith(f"{path}, line 7: ")


def test_a_missing_catalog_file_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        YAMLCatalog(str(tmp_path / "missing.yaml"), POLICY).fetch_catalog()
    assert caught.value.hint == "Check SERVICE_CATALOG_URL."


@pytest.mark.parametrize("text", ["[" + "a," * 12_000 + "]", "? a\n" * 6_000, "- &a b\n" * 12_000])
def test_a_catalog_of_too_many_parts_is_refused_before_it_takes_a_minute(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_EVENTS", 10_000)  # reaching the true one takes some seconds
    with pytest.raises(CatalogError, match="the catalog is too large"):
        parse_catalog(text.encode(), "catalog.yaml")


@pytest.mark.parametrize("text", ["{0}: 1\n{0}: 2\n", "!{0} x\n", "- {0}: [", "*{0}\n", "%{0}\n"])
def test_error_messages_about_a_catalog_are_short(text: str) -> None:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text.format("x" * 100_000).encode(), "catalog.yaml")
    assert len(str(caught.value)) < 700
