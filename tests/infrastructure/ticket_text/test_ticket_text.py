"""The text of a ticket, whatever form the helpdesk keeps it in."""

from __future__ import annotations

import html
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.infrastructure.ticket_text import ticket_text

same_each_time = settings(derandomize=True, database=None)

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 50


@pytest.mark.parametrize(
    "text",
    [
        "The printer jams",
        "C:\\Users\\<user>\\AppData cannot be opened",
        "a < b and c > d",
        "if (a<b && c>d) {}",
        "List<String> does not compile",
        "Ann <ann@example.com> wrote",
        "see <https://example.com/a?b=1&c=2>",
        "<config><value>1</value></config>",
        "The <title> of the page is wrong, <b> too",
        "<title> is missing",
        "Press <Enter>, then <b>Save</b>",
        "Tom & Jerry",
        "Tom & Jerry &amp; friends",
        "https://example.com/?a=1&copy=2",
        "a <b",
        "<",
        "line one\n\n  line two\ttabbed",
        '{"type": "doc"}',
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert ticket_text(text) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>The printer jams</p>", "The printer jams"),
        ("Hello<br>world", "Hello\nworld"),
        ("Hello<div>my printer</div><div><br></div><div>jams</div>", "Hello\nmy printer\n\njams"),
        ("<p>The printer", "The printer"),
        ("<p>a < b</p>", "a < b"),
        ("<p>press &lt;Enter&gt; &amp; wait&nbsp;a bit</p>", "press <Enter> & wait a bit"),
        ("&lt;p&gt;The printer &amp;amp; the scanner&lt;/p&gt;", "The printer & the scanner"),
        ("&amp;lt;b&amp;gt;urgent&amp;lt;/b&amp;gt;", "urgent"),
        ("<div>&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</div>", "one\n\ntwo"),
        ("Der Dr&uuml;cker klemmt", "Der Drücker klemmt"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<ol start=3><li>three</li><li>four</li></ol>", "3. three\n4. four"),
        ("<table><tr><td><p>a</p></td><td>b</td></tr><tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("<p>Write &lt;b&gt;x&lt;/b&gt; here</p>", "Write <b>x</b> here"),
        ("<pre>&lt;b&gt;x&lt;/b&gt;</pre>", "<b>x</b>"),
        ("<div>From: Ann <ann@example.com><br>Hello<br></div>bye", "From: Ann\nHello\nbye"),
        ('<div class="x">cut off <b>here</b> <a hre', "cut off here"),
        ("<pre>  one\n    two</pre>", "one\n    two"),
        ("<p>x</p><pre>  one\n    two</pre>", "x\n\n  one\n    two"),
        ('<a href="https://example.com/a">here</a> it is', "here (https://example.com/a) it is"),
        ('<a href="https://example.com/">example.com</a> is down', "example.com is down"),
        ('<a href="mailto:ann@example.com">ann@example.com</a> wrote', "ann@example.com wrote"),
        ('<a href="javascript:alert(1)">here</a> it is', "here it is"),
        (f'<p>see <img src="{PICTURE}"> there</p>', "see [picture] there"),
        ('<p>see <img src="cid:image001.png@01"> there</p>', "see [picture] there"),
        (f"plain {PICTURE} text", "plain [picture] text"),
        ("<p>un<b>bro</b>ken wo<i>rds</i></p>", "unbroken words"),
        ("text<o:p></o:p> of Word", "text of Word"),
        ("<xmp><b>as it is</b></xmp>", "<b>as it is</b>"),
        ("<details><summary>Log</summary>line</details>", "Log\nline"),
    ],
)
def test_html_becomes_the_text_that_a_browser_shows(source: str, text: str) -> None:
    assert ticket_text(source) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- HIDDEN -->",
        "<!--[if mso]>HIDDEN<![endif]-->",
        "<style>HIDDEN</style>",
        "<script>HIDDEN</script>",
        "<title>HIDDEN</title>",
        "<template>HIDDEN</template>",
        "<noscript>HIDDEN</noscript>",
        "<iframe>HIDDEN</iframe>",
        "<span hidden>HIDDEN</span>",
        '<div style="display:none">HIDDEN</div>',
        '<div style="DISPLAY : none !important">HIDDEN</div>',
        '<div style="display:none"><b>HIDDEN</b><p>HIDDEN</p></div>',
        '<span style="visibility: hidden">HIDDEN</span>',
        '<span style="font-size:0">HIDDEN</span>',
        '<span style="font:0/0 a">HIDDEN</span>',
        '<span style="opacity:0.0">HIDDEN</span>',
        '<div style="max-height:0;overflow:hidden">HIDDEN</div>',
        '<div style="position:absolute; left:-9999px">HIDDEN</div>',
        '<p style="text-indent:-9999px">HIDDEN</p>',
        '<span style="color:#fff">HIDDEN</span>',
        "<font color=white>HIDDEN</font>",
        '<div style="background:black;color:rgb(0, 0, 0)">HIDDEN</div>',
        '<span style="color:transparent">HIDDEN</span>',
        '<style>.x{display:none}</style><i class="a x">HIDDEN</i>',
        "<style>#y{visibility:hidden}</style><i id=y>HIDDEN</i>",
        "<svg><desc>HIDDEN</desc></svg>",
        "<dialog>HIDDEN</dialog>",
        "<p hidden>HIDDEN<p>",
    ],
)
def test_what_a_browser_hides_is_left_out(hidden: str) -> None:
    assert ticket_text(f"<p>before</p>{hidden}<p>after</p>") == "before\n\nafter"


@pytest.mark.parametrize(
    "shown",
    [
        '<p style="font-size:0"><span style="font-size:12px">SHOWN</span></p>',
        '<p style="visibility:hidden"><b style="visibility:visible">SHOWN</b></p>',
        '<div style="background:#000;color:#fff">SHOWN</div>',
        '<table bgcolor="#003366"><tr><td><font color=white>SHOWN</font></td></tr></table>',
        '<style>td{background:navy}</style><table><tr><td style="color:white">SHOWN</td></tr></table>',
        "<style>@media print{.x{display:none}}</style><i class=x>SHOWN</i>",
        "<style><!-- .x{display:none} --></style><i class=y>SHOWN</i>",
        '<span hidden style="display:inline">SHOWN</span>',
        "<span aria-hidden=true>SHOWN</span>",
        "<p hidden>x<p>SHOWN",
        "<ul><li hidden>x<li>SHOWN</ul>",
        "<div hidden>x</div></div></div>SHOWN",
        "<b hidden>x<div>y</b>SHOWN</div>",
        "<td hidden>SHOWN</td>",
        '<table style="display:none"><p>SHOWN</p></table>',
        "<![if !mso]>SHOWN<![endif]>",
        "<b><i><u><p>SHOWN",
    ],
)
def test_what_a_browser_shows_is_kept(shown: str) -> None:
    assert "SHOWN" in (ticket_text(f"<p>before</p>{shown}<p>after</p>") or "")


def paragraph(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(nodes)}


def words(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [
        paragraph(words("See "), words("the log", marks=[{"type": "link", "attrs": {"href": "https://example.com"}}])),
        {
            "type": "orderedList",
            "content": [{"type": "listItem", "content": [paragraph(words(text))]} for text in ("one", "two")],
        },
        {
            "type": "table",
            "content": [
                {
                    "type": "tableRow",
                    "content": [{"type": "tableCell", "content": [paragraph(words(text))]} for text in ("a", "b")],
                }
            ],
        },
        {"type": "codeBlock", "content": [words("x  =  <y>")]},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "1"}}]},
        paragraph({"type": "mention", "attrs": {"text": "@ann"}}, {"type": "hardBreak"}, words("bye")),
    ],
}


@pytest.mark.parametrize("value", [DOCUMENT, json.dumps(DOCUMENT)], ids=["object", "text"])
def test_a_document_of_jira_becomes_text(value: Any) -> None:
    assert ticket_text(value) == (
        "See the log (https://example.com)\n\n1. one\n2. two\na\tb\nx  =  <y>\n[picture]\n\n@ann\nbye"
    )


def test_a_document_of_any_depth_keeps_its_text() -> None:
    node: dict[str, Any] = words("deep")
    for _ in range(2_000):
        node = {"type": "panel", "content": [node]}
    assert ticket_text({"type": "doc", "content": [words("top"), node]}) == "top\ndeep"


@pytest.mark.parametrize("value", [None, 1, True, [], {}, {"no": 1}, {"content": 1}])
def test_a_value_without_text_is_none(value: Any) -> None:
    assert ticket_text(value) is None


def test_a_body_with_its_content_type_is_read() -> None:
    assert ticket_text({"contentType": "html", "content": "<p>Hello</p>"}) == "Hello"


@pytest.mark.parametrize(
    "unit",
    '<div> <b> <b><div> < <a <!-- <a&b=" & &# &#9 <li> <span><li></li> <b&hidden><p> <td> <table><tr><td> '
    '<ul><li> </p> </b> <style>{ <p&style=color: &lt; data:a/b, <![ <br> " <svg> <button> <form>'.split(),
)
def test_no_html_takes_long_or_loses_the_text_before_it(unit: str) -> None:
    source = (
        "<p>kept</p>" * 3
        + unit.replace("&", " " if "=" in unit or "hidden" in unit else "&") * (50_000 // len(unit))
        + "<br>"
    )
    began = time.monotonic()
    assert "kept" in (ticket_text(source) or "")
    assert time.monotonic() - began < 20


@pytest.mark.thorough
def test_text_at_any_depth_is_kept() -> None:
    assert (ticket_text("<div>" * 50_000 + "deep" + "</div>" * 50_000)) == "deep"


@same_each_time
@given(st.text())
def test_escaped_text_comes_back(text: str) -> None:
    """Line ends and white space apart, which HTML does not keep."""
    shown = ticket_text(f"<p>{html.escape(text)}</p>") or ""
    kept = ticket_text(text) or ""
    if kept == text and "&" not in text:
        assert "".join(shown.split()) == "".join(text.split())


MARKUP = st.sampled_from(
    "<p> </p> <div> </div> <b> </b> <i/> <br> <li> <ul> </ul> <table> <tr> <td> </td> </table> <!-- --> & ; &amp; < > "
    "<style> </style> <script> </script> <pre> </pre> <a&href=x> </a> <svg> </svg> <select> <option> <form> </form> "
    "<h1> <button> </button> <template> </template> <title> </title> &#0; &#xD800; \" ' =".split(" ")
)


@same_each_time
@given(st.lists(MARKUP | st.text(max_size=5), max_size=40))
def test_no_markup_makes_the_reader_fail(pieces: list[str]) -> None:
    assert isinstance(ticket_text("".join(pieces)), str)


@same_each_time
@given(st.lists(st.sampled_from("div p b i span ul li table tr td section a blockquote pre".split()), max_size=30))
def test_tags_without_an_end_hide_no_word(names: list[str]) -> None:
    source = "<br>" + "".join(f"<{name}>w{place}x " for place, name in enumerate(names))
    assert (ticket_text(source) or "").count("x") == len(names)
