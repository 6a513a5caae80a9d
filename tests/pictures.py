"""The pictures of docs/index.md, made from real output: `nox -s pictures`. It needs `chromium`, and installs nothing.

The program runs in a pseudo-terminal, and the final content of that terminal is drawn. The mail is the HTML part of the
.eml file that the same run wrote to its outbox.
"""

from __future__ import annotations

import email
import email.policy
import html
import os
import pty
import re
import shutil
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

EXAMPLES = Path(__file__).parents[1] / "examples"
WIDTH = 92
LINES = ("run", "send", "pending list")

# Without a title bar and without a web font.
_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; white-space: pre;}}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{height}"/>
</clipPath>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="#292929"/>
<g transform="translate({terminal_x}, 12)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""

# The body of the mail, with the header and the attachments that a mail program shows.
_MAIL = """<!doctype html><meta charset="utf-8"><body style="margin: 24px; font: 15px sans-serif">
<table style="color: #555; margin-bottom: 16px">{headers}</table><hr>{body}<p>{attachments}</p></body>"""


def main(folder: Path) -> None:
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    with TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(EXAMPLES, place / "examples")
        draw_terminal({line: run_in_terminal(line, place) for line in LINES}, folder / "run.svg")
        (mail,) = (place / "demo" / "outbox").glob("*.eml")
        page = place / "mail.html"
        page.write_text(as_page(mail.read_bytes()), encoding="utf-8")
        photograph(chromium, page, folder / "mail.png")


def run_in_terminal(line: str, folder: Path) -> str:
    """The final content of the terminal after `ticketattr LINE`, with its colours."""
    command = [sys.executable, "-m", "ticketattr", "--env-file", "examples/demo.env", *line.split()]
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        return _final_content(b"".join(_read_all(ours)).decode())


def _read_all(terminal: int) -> list[bytes]:
    chunks = []
    try:
        while chunk := os.read(terminal, 65_536):
            chunks.append(chunk)
    except OSError:  # its end, on Linux
        pass
    finally:
        os.close(terminal)
    return chunks


def _final_content(output: str) -> str:
    """The output without the lines that were erased, which are those of the progress bar."""
    lines = [line.rpartition("\x1b[2K")[2] for line in output.replace("\r\n", "\n").split("\n")]
    erased = [number for number, line in enumerate(lines) if "\x1b[1A" in output.split("\n")[number]]
    kept = [line for number, line in enumerate(lines) if number + 1 not in erased]
    return re.sub(r"\x1b\[\?25[lh]|\r", "", "\n".join(kept)).strip("\n")


def draw_terminal(shown: dict[str, str], target: Path) -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        for line, output in shown.items():
            console.print(Text(f"$ ticketattr --env-file examples/demo.env {line}", style="bold green"))
            console.print(Text.from_ansi(output), "")
        target.write_text(console.export_svg(code_format=_SVG, unique_id="run"), encoding="utf-8")


def as_page(mail: bytes) -> str:
    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("html",))
    assert body is not None
    headers = "".join(
        f"<tr><td>{name}</td><td>{html.escape(str(message[name]))}</td></tr>" for name in ("From", "To", "Subject")
    )
    attachments = ", ".join(html.escape(str(part.get_filename())) for part in message.iter_attachments())
    return _MAIL.format(headers=headers, body=body.get_content(), attachments=f"Attached: {attachments}")


def photograph(chromium: str, page: Path, target: Path) -> None:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=760,820"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [chromium, *options, profile, f"--screenshot={target.resolve()}", page.as_uri()]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
