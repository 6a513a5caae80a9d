"""Which questions the set-up asks, and what the answers set."""

from __future__ import annotations

import pytest

from ticketattr.application.setup import DeskNeeds, Question, completed, missing, next_steps, questions, settings_of

DESKS = {"Desk": DeskNeeds("https://desk.example.com", "a token", ""), "Two": DeskNeeds("", "a user", "a password")}
OWN = DeskNeeds("https://own.example.com", "", "a secret of ours")

TABLE, CATALOG, CLASSIFIER, MAIL = "HELPDESK_PROFILE", "SERVICE_CATALOG_URL", "CLASSIFIER", "EMAIL_TRANSPORT"
URL, KEY, SECRET = "HELPDESK_API_URL", "HELPDESK_API_KEY", "HELPDESK_API_SECRET"
SERVER = ["EMAIL_SMTP_HOST", "EMAIL_SMTP_PORT", "EMAIL_USERNAME"]
ENVELOPE = ["EMAIL_SENDER", "EMAIL_RECIPIENT", "CODEBASE_URL"]


def asked(answers: dict[str, str], own: DeskNeeds | None = None) -> dict[str, Question]:
    return {each.setting: each for each in questions(answers, DESKS, own)}


@pytest.mark.parametrize(
    ("answers", "settings"),
    [
        ({}, [TABLE, URL, CATALOG, CLASSIFIER, MAIL]),
        ({TABLE: "file", MAIL: "none", CLASSIFIER: "offline"}, [TABLE, URL, CATALOG, CLASSIFIER, MAIL]),
        ({TABLE: "Desk"}, [TABLE, URL, KEY, CATALOG, CLASSIFIER, MAIL]),
        ({TABLE: "Two"}, [TABLE, URL, KEY, SECRET, CATALOG, CLASSIFIER, MAIL]),
        ({TABLE: "own.yaml"}, [TABLE, URL, SECRET, CATALOG, CLASSIFIER, MAIL]),
        ({CLASSIFIER: "gemini"}, [TABLE, URL, CATALOG, CLASSIFIER, "LLM_API_KEY", MAIL]),
        ({CLASSIFIER: "cascade"}, [TABLE, URL, CATALOG, CLASSIFIER, "LLM_API_KEY", MAIL]),
        ({MAIL: "file"}, [TABLE, URL, CATALOG, CLASSIFIER, MAIL, *ENVELOPE]),
        ({MAIL: "smtp"}, [TABLE, URL, CATALOG, CLASSIFIER, MAIL, *SERVER, *ENVELOPE]),
        (
            {MAIL: "smtp", "EMAIL_USERNAME": "ann"},
            [TABLE, URL, CATALOG, CLASSIFIER, MAIL, *SERVER, "EMAIL_PASSWORD", *ENVELOPE],
        ),
    ],
)
def test_the_answers_lead_to_further_questions(answers: dict[str, str], settings: list[str]) -> None:
    assert list(asked(answers, OWN)) == settings


def test_a_question_about_a_helpdesk_says_what_its_profile_needs() -> None:
    assert asked({TABLE: "Desk"})[URL] == Question(
        URL, "The URL of the helpdesk, such as https://desk.example.com", "The base URL of the helpdesk."
    )
    assert asked({TABLE: "Two"})[URL].text == asked({TABLE: "x.yml"})[URL].text == "The URL of the helpdesk"
    assert asked({TABLE: "Two"})[SECRET] == Question(
        SECRET, "For the helpdesk: a password", "A secret: a password.", is_secret=True
    )
    # A profile of the user's own does not change what a shipped one needs.
    assert asked({TABLE: "Desk"}, OWN)[URL].text.endswith("https://desk.example.com")


def test_each_question_is_asked_and_explained_in_words_of_its_own() -> None:
    everything = asked({TABLE: "Two", CLASSIFIER: "openai", MAIL: "smtp", "EMAIL_USERNAME": "ann"})
    assert {name: (each.text, each.comment) for name, each in everything.items() if name not in (KEY, SECRET)} == {
        TABLE: (
            "Where the tickets come from: a file, or a helpdesk (docs/how-to/helpdesks.md)",
            "How the helpdesk is read (docs/how-to/helpdesks.md).",
        ),
        URL: ("The URL of the helpdesk", "The base URL of the helpdesk."),
        CATALOG: (
            "The service catalog, a URL or a path; a file that does not exist is started",
            "The service catalog.",
        ),
        CLASSIFIER: (
            "The classifier: offline needs neither key nor network",
            "Which classifier chooses request types.",
        ),
        "LLM_BASE_URL": (
            "The URL of a server with OpenAI's protocol, such as http://localhost:11434/v1; empty for OpenAI itself",
            "The server with OpenAI's protocol.",
        ),
        "LLM_MODEL_NAME": ("The name of the model", "The model."),
        "LLM_API_KEY": ("The API key of the model", "A secret: the API key of the model."),
        MAIL: (
            "How reports are sent: smtp, as files in a folder (file), or not yet (none)",
            "How reports are delivered: smtp, or file for a folder of .eml files.",
        ),
        "EMAIL_SMTP_HOST": ("The mail server", "The mail server."),
        "EMAIL_SMTP_PORT": ("Its port", "The port of the mail server."),
        "EMAIL_USERNAME": ("The user name for it, if it needs one", "The login."),
        "EMAIL_PASSWORD": ("The password", "A secret: the password."),
        "EMAIL_SENDER": ("The address that reports come from", "The sender of the reports."),
        "EMAIL_RECIPIENT": ("Who gets the reports (several: with commas)", "Who gets the reports."),
        "CODEBASE_URL": (
            "The URL of the code that makes the reports; every mail holds it",
            "Every mail holds it.",
        ),
    }
    assert asked({})[URL] == Question(
        URL, "The file with the tickets (CSV, .xlsx, JSON, JSON Lines)", "The tickets.", is_file=True
    )


def test_every_secret_and_nothing_else_is_asked_for_like_a_password() -> None:
    everything = asked({TABLE: "Two", CLASSIFIER: "gemini", MAIL: "smtp", "EMAIL_USERNAME": "ann"})
    secrets = {KEY, SECRET, "LLM_API_KEY", "EMAIL_PASSWORD"}
    assert {name for name, each in everything.items() if each.is_secret} == secrets
    assert all(each.comment.startswith("A secret: ") == each.is_secret for each in everything.values())


@pytest.mark.parametrize(
    ("setting", "answer", "refusal"),
    [
        (TABLE, "file", ""),
        (TABLE, "Two", ""),
        (TABLE, "own.yaml", ""),
        (TABLE, "own.yml", ""),
        (TABLE, "here/own", ""),
        (TABLE, "own", "own is none of file, Desk, Two"),
        (CLASSIFIER, "own.yaml", "own.yaml is none of offline, gemini, openai, cascade"),
        (MAIL, "none", ""),
        (MAIL, "fax", "fax is none of smtp, file, none"),
        (URL, "tickets.csv", ""),
        (URL, "HTTPS://desk.example.com", "that is a URL, and no file: choose a helpdesk, or webhook"),
        (URL, "http://desk.example.com", "that is a URL, and no file: choose a helpdesk, or webhook"),
        (URL, "", "an answer is needed"),
        (URL, "  ", "an answer is needed"),
        ("EMAIL_USERNAME", "", ""),
        (CATALOG, "https://desk.example.com/catalog", ""),
    ],
)
def test_an_answer_that_cannot_be_taken_is_refused_with_the_reason(setting: str, answer: str, refusal: str) -> None:
    assert asked({MAIL: "smtp"})[setting].refusal(answer) == refusal


def test_what_has_no_default_must_be_answered_and_the_rest_is_completed() -> None:
    answers = {MAIL: "smtp", URL: " tickets.csv ", "EMAIL_SMTP_HOST": " "}
    some = questions({**answers, "EMAIL_SMTP_HOST": ""}, DESKS)
    assert [each.setting for each in missing({URL: "x"}, some)] == ["EMAIL_SMTP_HOST", *ENVELOPE]
    assert completed(answers, some) == {
        TABLE: "file",
        URL: "tickets.csv",
        CATALOG: "catalog.yaml",
        CLASSIFIER: "offline",
        MAIL: "smtp",
        "EMAIL_SMTP_PORT": "587",
    }


def test_a_choice_that_is_no_setting_is_left_out_of_the_env_file() -> None:
    assert settings_of({TABLE: "file", MAIL: "none", CLASSIFIER: "offline"}) == {CLASSIFIER: "offline"}
    assert settings_of({TABLE: "Desk", MAIL: "file"}) == {TABLE: "Desk", MAIL: "file"}


@pytest.mark.parametrize(
    ("profile", "classifier", "transport", "steps"),
    [
        (
            "file",
            "offline",
            "none",
            "`ticketattr run --dry-run` makes a report; `ticketattr init --force` sets up mail, too",
        ),
        ("file", "offline", "smtp", "`ticketattr run --dry-run` makes a report, `ticketattr run` sends it"),
        (
            "rt",
            "offline",
            "smtp",
            "`ticketattr check --online` asks whether addresses and keys are right; `ticketattr run",
        ),
        (
            "file",
            "openai",
            "none",
            "`ticketattr check --online` asks whether addresses and keys are right; `ticketattr run",
        ),
    ],
)
def test_the_next_steps_depend_on_the_answers(profile: str, classifier: str, transport: str, steps: str) -> None:
    assert next_steps({TABLE: profile, CLASSIFIER: classifier, MAIL: transport}).startswith(steps)


def test_a_model_with_the_protocol_of_openai_needs_its_name_and_a_key_unless_it_is_on_a_server_of_its_own() -> None:
    chosen = {CLASSIFIER: "openai", URL: "tickets.csv"}
    assert [each.setting for each in missing(chosen, questions(chosen, DESKS))] == ["LLM_MODEL_NAME", "LLM_API_KEY"]
    chosen |= {"LLM_BASE_URL": "http://localhost:11434/v1", "LLM_MODEL_NAME": "llama3"}
    assert missing(chosen, questions(chosen, DESKS)) == []
