"""The text read out of HTML is what Chromium shows; run by `nox -s browser`, which needs Chromium.

Only wrong nesting of tables and drawings differs: some seven of 1,000 fragments of random markup.
"""

from __future__ import annotations

import html
import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticketattr.infrastructure.ticket_text.html_text import html_text

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
FRAGMENTS = 2_000
NAMES = (
    "p div span b i a u em strong font ul ol li table tr td th tbody thead blockquote pre h1 h2 br hr img center "
    "section dl dt dd form o:p code small nobr label caption template article main"
).split()
ATTRIBUTES = (
    *("", "", "", "", "", " hidden", " class=k", " class='a k'", ' hidden style="display:block"', " aria-hidden=true"),
    *(
        f' style="{style}"'
        for style in "display:none visibility:hidden visibility:visible display:block font-size:0 font-size:12px "
        "opacity:0 DISPLAY:NONE;color:red height:0;overflow:hidden;display:block".split()
    ),
)
CONTAINERS = "script style title template iframe xmp".split()
PAGE = """<!doctype html><body><div id=shown></div><pre id=found></pre><script>
const shown = document.getElementById('shown');
function isVisible(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const style = getComputedStyle(node.parentElement);
  if (!range.getClientRects().length || style.visibility != 'visible' || style.fontSize == '0px') return false;
  for (let element = node.parentElement; element != shown; element = element.parentElement) {
    const computed = getComputedStyle(element);
    if (computed.opacity == '0') return false;
    if (computed.overflowY == 'hidden' && computed.height == '0px' && computed.display != 'inline') return false;
  }
  return true;
}
const found = FRAGMENTS.map(fragment => {
  const element = document.createElement('div');
  element.innerHTML = fragment;
  shown.replaceChildren(element);
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (isVisible(walker.currentNode)) texts.push(walker.currentNode.data);
  return texts.join(' ');
});
shown.replaceChildren();
document.getElementById('found').textContent = JSON.stringify(found);
</script>"""


def fragment(chance: random.Random) -> str:
    """Random markup, mostly wrong, with words that are all different."""
    words = (f"w{number}x" for number in range(1_000))
    style = ["<style>.k{display:none}</style>"] if chance.random() < 0.3 else []
    return "".join([*style, *(piece(chance, words) for _ in range(chance.randint(3, 25)))])


def piece(chance: random.Random, words: Iterator[str]) -> str:
    return chance.choice(
        [
            *[f"<{chance.choice(NAMES)}{chance.choice(ATTRIBUTES)}>"] * 8,
            *[f"</{chance.choice(NAMES)}>"] * 4,
            *[next(words) + chance.choice(["", " ", "\n"])] * 6,
            f"<!-- {next(words)} {chance.choice(['-->', '--!>', '-- >'])}",
            "<{0}>{1}</{0}>".format(chance.choice(CONTAINERS), next(words)),
            chance.choice(["<", "</", "<1", "&lt;", "&nbsp;", "<>", "</>", "<!x>", "<![if !mso]>", "<?xml?>"]),
        ]
    )


def shown_by_chromium(fragments: list[str], folder: Path) -> list[str]:
    page = folder / "page.html"
    data = json.dumps(fragments).replace("<", "\\u003c")
    page.write_text(PAGE.replace("FRAGMENTS", data, 1), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command = [CHROMIUM, *options, page.as_uri()]
    document = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", timeout=300).stdout
    found = re.search('<pre id="found">(.*?)</pre>', document, re.DOTALL)
    assert found
    texts: list[str] = json.loads(html.unescape(found[1]))
    return texts


def words(text: str) -> set[str]:
    return set(re.findall(r"w\d+x", text))


def test_no_word_is_lost_or_added_that_chromium_shows_or_hides(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("BROWSER_SEED", "1"))  # noqa: S311  # not for secrets
    fragments = [fragment(chance) for _ in range(FRAGMENTS)]
    shown = shown_by_chromium(fragments, tmp_path)
    wrong = [
        (source, sorted(words(text) ^ words(html_text(source))))
        for source, text in zip(fragments, shown, strict=True)
        if words(text) != words(html_text(source))
    ]
    assert len(wrong) <= FRAGMENTS // 100, wrong[:20]
