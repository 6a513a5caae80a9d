"""The end of every `--help`: examples that can be pasted into a shell."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "ticketattr check --online",
        "ticketattr run",
        "ticketattr run --env-file common.env --env-file prod.env",
    ),
    "init": (
        "ticketattr init",
        "ticketattr init --url export.csv --catalog-from export.csv",
        "ticketattr init --helpdesk redmine --url https://redmine.example.com --key KEY --catalog-from helpdesk",
    ),
    "check": (
        "ticketattr check",
        "ticketattr check --online --format json",
        "ticketattr check --redaction tickets.csv",
    ),
    "fetch": (
        "ticketattr fetch",
        "ticketattr fetch --preview 3",
        "ticketattr fetch -o tickets.json --catalog-output catalog.json",
    ),
    "classify": (
        "ticketattr classify --plan",
        "ticketattr classify --batch",
        "ticketattr classify -i tickets.json --catalog catalog.json -o attributions.json",
        "ticketattr fetch -o - | ticketattr classify -i - --classifier offline",
        "ticketattr classify -i 'part-*.jsonl' -o out/ --catalog catalog.yaml --classifier offline",
    ),
    "merge": (
        "ticketattr merge out/ -i 'part-*.jsonl'",
        "ticketattr merge out/ -o result.parquet",
    ),
    "apply": (
        "ticketattr apply --mode fill --dry-run",
        "ticketattr apply --mode suggest --limit 20",
        "ticketattr apply --mode shadow",
    ),
    "report": (
        "ticketattr report",
        "ticketattr report -i attributions.json --format html -o report.html",
        "ticketattr report -i out/attributions.jsonl --format parquet -o report.parquet",
    ),
    "send": (
        "ticketattr send --dry-run",
        "ticketattr send --report output/ticket-attribution-20261123T150301Z-7f3a.xlsx",
    ),
    "run": (
        "ticketattr run --dry-run",
        "ticketattr run --quiet --wait 600",
        "ticketattr run --classifier cascade --examples labelled.jsonl",
    ),
    "download": (
        "ticketattr download latest",
        "ticketattr download 20261123T150301Z-7f3a -o report.xlsx",
    ),
    "evaluate": (
        "ticketattr evaluate gold.jsonl --catalog catalog.yaml --classifier offline",
        "ticketattr evaluate gold.jsonl --catalog catalog.yaml --compare offline gemini",
        "ticketattr evaluate gold.jsonl --catalog catalog.yaml --repeat 3",
        "ticketattr evaluate closed.csv --catalog catalog.yaml --classifier offline --split time",
    ),
    "learn": (
        "ticketattr learn closed.csv --catalog catalog.yaml --output desk.model",
        "ticketattr learn closed.csv --catalog catalog.yaml --output desk.model --rename 'VPN=Network / Remote access'",
        "ticketattr learn helpdesk --catalog catalog.yaml --output desk.model --ignore-unknown",
        "ticketattr learn closed.csv --catalog catalog.yaml --audit audit.xlsx",
    ),
    "pending": (
        "ticketattr pending list",
        "ticketattr pending list --all --format json",
    ),
    "pending list": (
        "ticketattr pending list",
        "ticketattr pending list --all --format csv",
    ),
    "pending resolve": (
        "ticketattr pending resolve ticket-attribution-20261123T150301Z-7f3a.xlsx --sent",
        "ticketattr pending resolve 9f4a421d --resend",
        "ticketattr pending resolve --recipient gone@example.com",
    ),
    "pending adopt": (
        "ticketattr pending adopt output/ticket-attribution-20261123T150301Z-7f3a.xlsx",
        "ticketattr pending adopt",
    ),
    "pending backup": ("ticketattr pending backup /backup/reports.db",),
    "pending restore": ("ticketattr pending restore /backup/reports.db --unknown sent",),
    "pending export": ("ticketattr pending export",),
    "serve": ("ticketattr serve",),
    "token": (
        "ticketattr token create ann --scope operate",
        "ticketattr token list",
    ),
    "token create": (
        "ticketattr token create n8n --scope operate --days 365",
        "ticketattr token create auditor",
    ),
    "token list": ("ticketattr token list --format json",),
    "token revoke": ("ticketattr token revoke n8n",),
    "db": (
        "ticketattr db upgrade",
        "ticketattr db copy --to database",
    ),
    "db upgrade": ("ticketattr db upgrade",),
    "db copy": ("ticketattr db copy --to database", "ticketattr db copy --to files"),
    "changes": (
        "ticketattr changes list",
        "ticketattr changes undo 20261123T150301Z-7f3a",
    ),
    "changes list": (
        "ticketattr changes list --run 20261123T150301Z-7f3a --format csv",
        "ticketattr changes list --shadow",
    ),
    "changes undo": ("ticketattr changes undo 20261123T150301Z-7f3a",),
    "jobs": (
        "ticketattr jobs list",
        "ticketattr jobs cancel",
    ),
    "jobs list": ("ticketattr jobs list --format json",),
    "jobs cancel": ("ticketattr jobs cancel ticketattr-20261123T150301Z-7f3a-1-9c41d2e0",),
    "corrections": (
        "ticketattr corrections import output/ticket-attribution-20261123T150301Z-7f3a.xlsx",
        "ticketattr corrections list",
    ),
    "corrections import": (
        "ticketattr corrections import output/ticket-attribution-20261123T150301Z-7f3a.xlsx",
        "ticketattr corrections import Downloads/report.xlsx --by ann",
    ),
    "corrections list": (
        "ticketattr corrections list --format csv",
        "ticketattr corrections list --format jsonl > gold.jsonl",
    ),
}
"""The examples of each command, by the words after the name of the program."""


def epilog_of(command: str) -> str:
    """The end of the help of a command: where the options of the program may stand, then its examples.

    `command` is the words after the name of the program.
    """
    where = "--env-file, -v and -q are understood " + (
        "after the command, too." if not command else "here, too (see `ticketattr --help`)."
    )
    # The first character of the second paragraph keeps its lines as they are.
    return "\n".join([where, "", "\b", "Examples:", *(f"  {line}" for line in EXAMPLES[command])])
