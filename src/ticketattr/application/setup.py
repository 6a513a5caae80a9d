"""Set up the program: which questions there are, which answers they need, and what an env file says in the end.

A question belongs to one setting. Which questions are asked depends on the answers before them, so whoever asks (a
prompt, options of a script, later a page) takes them from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FILE = "file"
"""The answer to HELPDESK_PROFILE where tickets come from a file."""
NO_MAIL = "none"
"""The answer to EMAIL_TRANSPORT where no mail is set up."""
STARTER_CATALOG = "catalog.yaml"

Answers = Mapping[str, str]
"""The answers so far, by the name of the setting."""


@dataclass(frozen=True, slots=True)
class DeskNeeds:
    """What a profile of a helpdesk needs: an example of its URL, and what key and secret are (empty: not needed)."""

    url: str = ""
    key: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one `setting`. `comment` explains the setting in the env file.

    `default` is taken where nothing is answered; `choices` are all answers there are (empty: any). An optional one
    without an answer leaves its setting out. `is_file`: no URL is taken.
    """

    setting: str
    text: str
    comment: str
    default: str = ""
    choices: tuple[str, ...] = ()
    is_secret: bool = False
    is_optional: bool = False
    is_file: bool = False

    def refusal(self, answer: str) -> str:
        """Why `answer` cannot be taken; empty if it can."""
        if not answer.strip() and not self.is_optional:
            return "an answer is needed"
        if self.choices and answer not in self.choices and not _is_path(answer, self.setting):
            return f"{answer} is none of {', '.join(self.choices)}"
        if self.is_file and answer.lower().startswith(("http://", "https://")):
            return "that is a URL, and no file: choose a helpdesk, or webhook"
        return ""


def questions(answers: Answers, desks: Mapping[str, DeskNeeds], own: DeskNeeds | None = None) -> list[Question]:
    """All questions that these answers lead to, in their order.

    `desks` are the shipped profiles by name; `own` is what a profile of the user's own needs.
    """
    return [
        Question(
            "HELPDESK_PROFILE",
            "Where the tickets come from: a file, or a helpdesk (docs/how-to/helpdesks.md)",
            "How the helpdesk is read (docs/how-to/helpdesks.md).",
            default=FILE,
            choices=(FILE, *desks),
        ),
        *_helpdesk(answers, desks, own),
        Question(
            "SERVICE_CATALOG_URL",
            "The service catalog, a URL or a path; a file that does not exist is started",
            "The service catalog.",
            default=STARTER_CATALOG,
        ),
        Question(
            "CLASSIFIER",
            "The classifier: offline needs neither key nor network",
            "Which classifier chooses request types.",
            default="offline",
            choices=("offline", "gemini", "openai", "cascade"),
        ),
        *_classifier(answers),
        Question(
            "EMAIL_TRANSPORT",
            "How reports are sent: smtp, as files in a folder (file), or not yet (none)",
            "How reports are delivered: smtp, or file for a folder of .eml files.",
            default=NO_MAIL,
            choices=("smtp", "file", NO_MAIL),
        ),
        *_mail(answers),
    ]


def missing(answers: Answers, asked: Sequence[Question]) -> list[Question]:
    """The questions without an answer and without a default, which somebody has to answer."""
    return [each for each in asked if not (answers.get(each.setting) or each.default or each.is_optional)]


def completed(answers: Answers, asked: Sequence[Question]) -> dict[str, str]:
    """The answers to the questions that were asked, with the defaults of those that were not answered."""
    given = {each.setting: answers.get(each.setting, "").strip() or each.default for each in asked}
    return {name: answer for name, answer in given.items() if answer}


def settings_of(answers: Answers) -> dict[str, str]:
    """What the answers set, by the name of the setting: what is not a setting but a choice is left out."""
    without = {"HELPDESK_PROFILE": FILE, "EMAIL_TRANSPORT": NO_MAIL}
    return {name: answer for name, answer in answers.items() if without.get(name) != answer}


def next_steps(answers: Answers) -> str:
    """What to do after the set-up, in one line."""
    is_online = answers.get("HELPDESK_PROFILE") != FILE or answers.get("CLASSIFIER") != "offline"
    online = "`ticketattr check --online` asks whether addresses and keys are right; " if is_online else ""
    if answers.get("EMAIL_TRANSPORT") == NO_MAIL:
        return f"{online}`ticketattr run --dry-run` makes a report; `ticketattr init --force` sets up mail, too"
    return f"{online}`ticketattr run --dry-run` makes a report, `ticketattr run` sends it"


def _helpdesk(answers: Answers, desks: Mapping[str, DeskNeeds], own: DeskNeeds | None) -> list[Question]:
    profile = answers.get("HELPDESK_PROFILE") or FILE
    if profile == FILE:
        return [
            Question(
                "HELPDESK_API_URL",
                "The file with the tickets (CSV, .xlsx, JSON, JSON Lines)",
                "The tickets.",
                is_file=True,
            )
        ]
    needs = desks.get(profile) or own or DeskNeeds()
    example = f", such as {needs.url}" if needs.url else ""
    found = [Question("HELPDESK_API_URL", f"The URL of the helpdesk{example}", "The base URL of the helpdesk.")]
    for name, what in (("HELPDESK_API_KEY", needs.key), ("HELPDESK_API_SECRET", needs.secret)):
        if what:
            found.append(Question(name, f"For the helpdesk: {what}", f"A secret: {what}.", is_secret=True))
    return found


def _classifier(answers: Answers) -> list[Question]:
    chosen = answers.get("CLASSIFIER")
    if chosen not in ("gemini", "openai", "cascade"):
        return []
    url = Question(
        "LLM_BASE_URL",
        "The URL of a server with OpenAI's protocol, such as http://localhost:11434/v1; empty for OpenAI itself",
        "The server with OpenAI's protocol.",
        is_optional=True,
    )
    return [
        *([url, Question("LLM_MODEL_NAME", "The name of the model", "The model.")] if chosen == "openai" else []),
        Question(
            "LLM_API_KEY",
            "The API key of the model",
            "A secret: the API key of the model.",
            is_secret=True,
            is_optional=bool(answers.get("LLM_BASE_URL")),
        ),
    ]


def _mail(answers: Answers) -> list[Question]:
    transport = answers.get("EMAIL_TRANSPORT") or NO_MAIL
    if transport == NO_MAIL:
        return []
    server = [
        Question("EMAIL_SMTP_HOST", "The mail server", "The mail server."),
        Question("EMAIL_SMTP_PORT", "Its port", "The port of the mail server.", default="587"),
        Question("EMAIL_USERNAME", "The user name for it, if it needs one", "The login.", is_optional=True),
    ]
    if answers.get("EMAIL_USERNAME"):
        server.append(Question("EMAIL_PASSWORD", "The password", "A secret: the password.", is_secret=True))
    return [
        *(server if transport == "smtp" else []),
        Question("EMAIL_SENDER", "The address that reports come from", "The sender of the reports."),
        Question("EMAIL_RECIPIENT", "Who gets the reports (several: with commas)", "Who gets the reports."),
        Question(
            "CODEBASE_URL", "The URL of the code that makes the reports; every mail holds it", "Every mail holds it."
        ),
    ]


def _is_path(answer: str, setting: str) -> bool:
    return setting == "HELPDESK_PROFILE" and ("/" in answer or answer.endswith((".yaml", ".yml")))
