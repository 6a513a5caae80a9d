"""`ticketattr init`: asks for helpdesk, catalog, classifier and mail, writes an env file, and checks everything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ...application.setup import (
    FILE,
    NO_MAIL,
    Answers,
    Question,
    completed,
    missing,
    next_steps,
    questions,
    settings_of,
)
from ...errors import ExitCode, SettingsError
from ...infrastructure.env_file import env_text, refuse_existing, write_env_file
from ...infrastructure.options import WEBHOOK
from .. import wiring
from ..invocation import Invocation
from ..presentation.log_lines import plain
from ..results import print_path
from ..settings.classifier import ClassifierSettings
from ..settings.environment import reading
from ..settings.mail import MailSettings
from ..settings.sources import SourceSettings
from ..settings.values import Values, ValueSource
from .check import check_values
from .help_examples import epilog_of

OPTIONS: Mapping[str, str] = {
    "HELPDESK_PROFILE": "--helpdesk",
    "HELPDESK_API_URL": "--url",
    "HELPDESK_API_KEY": "--key",
    "HELPDESK_API_SECRET": "--secret",  # nosec B105  # the name of an option
    "SERVICE_CATALOG_URL": "--catalog",
    "CLASSIFIER": "--classifier",
    "LLM_BASE_URL": "--llm-url",
    "LLM_MODEL_NAME": "--llm-model",
    "LLM_API_KEY": "--llm-key",
    "EMAIL_TRANSPORT": "--mail",
    "EMAIL_SMTP_HOST": "--mail-host",
    "EMAIL_SMTP_PORT": "--mail-port",
    "EMAIL_USERNAME": "--mail-user",
    "EMAIL_PASSWORD": "--mail-password",  # nosec B105
    "EMAIL_SENDER": "--mail-from",
    "EMAIL_RECIPIENT": "--mail-to",
    "CODEBASE_URL": "--code-url",
}
"""The option that answers the question about a setting."""

HEAD = "The settings of ticketattr, made by `ticketattr init`. .env.example explains every setting there is."
FROM_HELPDESK = "helpdesk"
# What is not set up yet must not make the check fail.
_NO_MAIL_YET = {
    "EMAIL_TRANSPORT": "file",
    "EMAIL_SENDER": "nobody@example.com",
    "EMAIL_RECIPIENT": "nobody@example.com",
    "CODEBASE_URL": "-",
}

_Text = str | None
HelpdeskOption = Annotated[
    _Text, typer.Option("--helpdesk", metavar="NAME", help="file, a shipped profile, or the path of your own profile.")
]
UrlOption = Annotated[_Text, typer.Option("--url", metavar="URL", help="The helpdesk: a URL, or an export as a file.")]
KeyOption = Annotated[_Text, typer.Option("--key", envvar="HELPDESK_API_KEY", help="The key for the helpdesk.")]
SecretOption = Annotated[
    _Text, typer.Option("--secret", envvar="HELPDESK_API_SECRET", help="The secret for the helpdesk.")
]
CatalogOption = Annotated[
    _Text, typer.Option("--catalog", metavar="PATH", help="The catalog. A file that does not exist is started.")
]
CatalogFromOption = Annotated[
    _Text,
    typer.Option(
        metavar="FILE", help="Start the catalog from the categories in this file (CSV …), or of the `helpdesk`."
    ),
]
ClassifierChoice = Annotated[_Text, typer.Option("--classifier", help="offline, gemini, openai or cascade.")]
LLMURLOption = Annotated[
    _Text, typer.Option("--llm-url", metavar="URL", help="The server with OpenAI's protocol; OpenAI itself without it.")
]
LLMModelOption = Annotated[_Text, typer.Option("--llm-model", metavar="NAME", help="The model, for openai.")]
LLMKeyOption = Annotated[_Text, typer.Option("--llm-key", envvar="LLM_API_KEY", help="The key of the model.")]
MailOption = Annotated[_Text, typer.Option("--mail", help="smtp, file, or none for now.")]
HostOption = Annotated[_Text, typer.Option("--mail-host", help="The mail server.")]
PortOption = Annotated[_Text, typer.Option("--mail-port", help="Its port.")]
UserOption = Annotated[_Text, typer.Option("--mail-user", help="The user name for it.")]
PasswordOption = Annotated[_Text, typer.Option("--mail-password", envvar="EMAIL_PASSWORD", help="The password for it.")]
FromOption = Annotated[_Text, typer.Option("--mail-from", help="The sender of the reports.")]
ToOption = Annotated[_Text, typer.Option("--mail-to", help="Who gets the reports.")]
CodeOption = Annotated[_Text, typer.Option("--code-url", help="The URL of the code, which every mail holds.")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The env file.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an env file; a backup of it is kept.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("init"))
def init(
    context: typer.Context,
    helpdesk: HelpdeskOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    secret: SecretOption = None,
    catalog: CatalogOption = None,
    catalog_from: CatalogFromOption = None,
    classifier: ClassifierChoice = None,
    llm_url: LLMURLOption = None,
    llm_model: LLMModelOption = None,
    llm_key: LLMKeyOption = None,
    mail: MailOption = None,
    mail_host: HostOption = None,
    mail_port: PortOption = None,
    mail_user: UserOption = None,
    mail_password: PasswordOption = None,
    mail_from: FromOption = None,
    mail_to: ToOption = None,
    code_url: CodeOption = None,
    output: OutputOption = Path(".env"),
    force: ForceOption = False,
) -> None:
    """Ask for what a run needs, write .env, and check it.

    What options answer is not asked. Without a terminal, nothing is asked: all answers come from options.
    """
    invocation: Invocation = context.obj
    refuse_existing(output, force=force)
    texts = (
        *(helpdesk, url, key, secret, catalog, classifier, llm_url, llm_model, llm_key),
        *(mail, mail_host, mail_port, mail_user, mail_password, mail_from, mail_to, code_url),
    )
    given = {name: text for name, text in zip(OPTIONS, texts, strict=True) if text}
    answers, asked = _answered(given)
    _refuse_wrong(answers)
    _write(invocation, answers, asked, catalog_from, output, force=force)
    values = Values((ValueSource(f"env file {output}", _Quiet(settings_of(answers))),))
    rest = invocation.unwarned_values()
    values = Values((*values.sources, *(source for source in rest.sources if source.path is None)))
    if answers.get("EMAIL_TRANSPORT") == NO_MAIL:
        values = values.under(_NO_MAIL_YET, "no mail yet")
    try:
        check_values(invocation, values)
    except typer.Exit as checked:
        if checked.exit_code == ExitCode.DONE:
            invocation.console.summary(next_steps(answers))
        raise


class _Quiet(dict[str, str]):
    """Values that no traceback shows."""

    def __repr__(self) -> str:
        return "…"


def _answered(given: Answers) -> tuple[dict[str, str], list[Question]]:
    """The answers of the options, and of the user where there is a terminal; and what was asked."""
    answers = dict(given)
    if "HELPDESK_PROFILE" not in answers and (url := answers.get("HELPDESK_API_URL", "")):
        answers["HELPDESK_PROFILE"] = WEBHOOK if url.lower().startswith(("http://", "https://")) else FILE
    if sys.stdin.isatty() and sys.stderr.isatty():
        while (question := _next(answers)) is not None:
            answers[question.setting] = _ask(question)
    asked = _questions(answers)
    if unanswered := missing(answers, asked):
        names = ", ".join(f"{OPTIONS[each.setting]} ({each.setting})" for each in unanswered)
        raise SettingsError(
            f"`ticketattr init` needs answers to {names}", hint="Give these options, or run it in a terminal."
        )
    answers = completed(answers, asked)
    for question in asked:
        if refusal := question.refusal(answers.get(question.setting, "")):
            raise SettingsError(f"{OPTIONS[question.setting]}: {refusal}", hint="Nothing was written.")
    if superfluous := [OPTIONS[name] for name in given if name not in answers and name not in _FROM_ENVIRONMENT]:
        raise SettingsError(
            f"these options do not go with the others: {', '.join(superfluous)}", hint="Leave them out."
        )
    return answers, asked


_FROM_ENVIRONMENT = ("HELPDESK_API_KEY", "HELPDESK_API_SECRET", "LLM_API_KEY", "EMAIL_PASSWORD")


def _questions(answers: Answers) -> list[Question]:
    chosen = answers.get("HELPDESK_PROFILE") or FILE
    desks = wiring.desks()
    own = wiring.desk_needs(chosen) if chosen != FILE and chosen not in desks else None
    return questions(answers, desks, own)


def _next(answers: Answers) -> Question | None:
    return next((each for each in _questions(answers) if each.setting not in answers), None)


def _ask(question: Question) -> str:
    choices = f" [{', '.join(question.choices)}]" if question.choices else ""
    default = question.default or ("" if question.is_optional else None)
    while True:
        try:
            answer = str(
                typer.prompt(
                    plain(f"{question.text}{choices}"),
                    default=default,
                    hide_input=question.is_secret,
                    show_default=bool(default),
                    err=True,
                )
            ).strip()
        except typer.Abort:
            raise SettingsError("the questions were not answered to the end", hint="Nothing was written.") from None
        refusal = question.refusal(answer)
        if not refusal:
            return answer
        typer.echo(plain(refusal), err=True)


def _refuse_wrong(answers: Answers) -> None:
    """Raises SettingsError for answers that a run would refuse, before anything is written."""
    values = Values((ValueSource("answers", _Quiet(settings_of(answers))),))
    with reading(values, "init") as env:
        SourceSettings.read(env)
        ClassifierSettings.read(env)
        if answers.get("EMAIL_TRANSPORT") != NO_MAIL:
            MailSettings.read(env)


def _write(
    invocation: Invocation,
    answers: Answers,
    asked: list[Question],
    catalog_from: str | None,
    output: Path,
    *,
    force: bool,
) -> None:
    settings = settings_of(answers)
    if catalog := _start_catalog(settings, catalog_from):
        invocation.console.summary(f"{catalog} is a catalog to begin with: set what your desk offers, and the times")
        print_path(catalog)
    comments = [(each.setting, settings[each.setting], each.comment) for each in asked if each.setting in settings]
    text = env_text(comments, HEAD)
    backup = write_env_file(output, text, settings, now=invocation.clock(), force=force)
    if backup:
        invocation.console.summary(f"the former file is kept as {backup}")
    print_path(output)


def _start_catalog(settings: Mapping[str, str], catalog_from: str | None) -> Path | None:
    """Writes the catalog where there is none yet; returns its path. An existing one is never changed."""
    from ...infrastructure.catalog.starter_types import read_starter_types

    path = wiring.local_catalog(settings["SERVICE_CATALOG_URL"])
    if path is None or path.exists():
        if catalog_from:
            raise SettingsError(
                f"{settings['SERVICE_CATALOG_URL']} is there already, so no catalog is started",
                hint="Name a new file with --catalog, or leave --catalog-from out.",
            )
        return None
    if catalog_from == FROM_HELPDESK:
        with reading(Values((ValueSource("answers", _Quiet(settings)),)), "init") as env:
            sources = SourceSettings.read(env)
        wiring.start_catalog(path, wiring.own_categories(sources))
    else:
        wiring.start_catalog(path, read_starter_types(Path(catalog_from)) if catalog_from else None)
    return path
