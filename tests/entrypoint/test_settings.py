"""Where settings come from: profiles, secrets in files, and names that no setting has."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ticketattr.entrypoint.settings.addresses import parse_mailbox, split_mailboxes
from ticketattr.entrypoint.settings.environment import Environment
from ticketattr.entrypoint.settings.names import SECTIONS, known_settings
from ticketattr.entrypoint.settings.unknown_settings import REMOVED_SETTINGS, unknown_settings
from ticketattr.entrypoint.settings.values import MAX_SECRET, Values, ValueSource, read_values
from ticketattr.errors import ExitCode
from ticketattr.infrastructure.extras import install_hint

from ..conftest import CLI, EXAMPLES
from ..servers import HTTPServer, Response
from .test_bad_input import refused

USAGE = ExitCode.USAGE
SECRET = "canary"
PROFILES = EXAMPLES / "profiles"


@pytest.fixture
def webhook(cli: CLI, http: HTTPServer) -> HTTPServer:
    """A helpdesk with an empty queue, whose key is yet to be set."""
    http.routes["/hook"] = [Response(body=[])]
    cli.settings |= {"HELPDESK_API_URL": f"{http.url}/hook", "HELPDESK_API_SECRET": "the secret"}
    return http


def put(cli: CLI, content: str | bytes, name: str = "key") -> Path:
    path = cli.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Profiles


def test_the_last_env_file_takes_precedence_and_the_environment_over_all_of_them(cli: CLI) -> None:
    put(cli, "WORK_DIR=common\nOUTPUT_DIR=common-out\nHTTP_TIMEOUT=soon\n", "common.env")
    put(cli, "WORK_DIR=prod\nHTTP_TIMEOUT=5\n", "prod.env")
    files = ("--env-file", "common.env", "--env-file", "prod.env")
    assert cli.ok(*files, "fetch").stdout.startswith("prod/")
    cli.settings["WORK_DIR"] = "mine"
    assert cli.ok(*files, "fetch").stdout.startswith("mine/")
    assert "HTTP_TIMEOUT" in refused(cli, "--env-file", "common.env", "fetch", exit_code=USAGE)


def test_a_profile_that_does_not_exist_is_named(cli: CLI) -> None:
    put(cli, "", "common.env")
    files = ("--env-file", "common.env", "--env-file", "prod.env")
    assert "the env file prod.env cannot be read" in refused(cli, *files, "fetch", exit_code=USAGE)


def test_the_profile_for_developers_runs_as_it_is(cli: CLI) -> None:
    (cli.folder / "examples").symlink_to(EXAMPLES)
    cli.settings.clear()
    files = [part for name in ("common", "dev") for part in ("--env-file", f"examples/profiles/{name}.env")]
    assert "1 report sent" in cli.ok(*files, "run").stderr


@pytest.mark.parametrize("profile", ["dev", "stage", "prod"])
def test_a_profile_lacks_nothing_but_its_secret_files(cli: CLI, profile: str) -> None:
    files = [PROFILES / "common.env", PROFILES / f"{profile}.env"]
    asked = [name for name, spec in known_settings().items() if spec.is_secret]
    # The profiles use neither a chat nor a store of reports nor a database.
    needed = [name for name in asked if not name.startswith(("CHAT_", "REPORT_STORE_", "DATABASE_"))]
    secrets = dict.fromkeys(needed, "https://secret.example.com")
    values = read_values(files, secrets)
    env = Environment(values)
    for read in SECTIONS:
        read(env)
    assert (env.missing, env.wrong, unknown_settings(values)) == ([], [], [])


# A name without a value


@pytest.mark.parametrize("line", ["LLM_API_KEY", "export LLM_API_KEY", f"{SECRET}123"])
def test_a_line_without_a_value_is_a_syntax_error(cli: CLI, line: str) -> None:
    put(cli, f"A=1\n\n{line}\n", ".env")
    assert ".env, line 3: expected NAME=value" in refused(cli, "fetch", exit_code=USAGE)


# Secrets in files


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        ("plain", "plain"),
        ("one line end\n", "one line end"),
        ("one of Windows\r\n", "one of Windows"),
        (" spaces stay ", " spaces stay "),
        ("quo\"te 'and' $HOME # \\", "quo\"te 'and' $HOME # \\"),
        ("\ufeffsaved on Windows", "saved on Windows"),
        ("schlüssel", "schlüssel"),
    ],
)
def test_a_secret_is_the_content_of_its_file_without_one_line_end(
    cli: CLI, webhook: HTTPServer, content: str, secret: str
) -> None:
    cli.settings["HELPDESK_API_KEY_FILE"] = str(put(cli, content))
    cli.ok("fetch")
    assert webhook.requests[0].json["api_key"] == secret


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\n\n", "a\r", "\x1ba", "a\x00"], ids=repr)
def test_a_secret_with_a_control_character_is_refused_and_not_cut(cli: CLI, webhook: HTTPServer, text: str) -> None:
    path = put(cli, SECRET + text)
    cli.settings["HELPDESK_API_KEY_FILE"] = str(path)
    message = refused(cli, "fetch", exit_code=USAGE)
    assert (
        f"HELPDESK_API_KEY contains a control character (file {path}, by HELPDESK_API_KEY_FILE of environment)"
        in message
    )
    assert not webhook.requests


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"canary\xff", "cannot be read: it is not UTF-8 text"),
        (b"canary" * MAX_SECRET, "is larger than 65,536 bytes, so it is not a secret"),
    ],
    ids=["missing", "empty", "blank", "Latin-1", "large"],
)
def test_a_secret_file_that_is_not_valid_is_named_with_its_setting(
    cli: CLI, webhook: HTTPServer, content: bytes | None, said: str
) -> None:
    path = cli.folder / "key" if content is None else put(cli, content)
    cli.settings["HELPDESK_API_KEY_FILE"] = str(path)
    message = refused(cli, "fetch", exit_code=USAGE)
    assert f"HELPDESK_API_KEY_FILE: {path} {said}" in message
    assert "not set" not in message


@pytest.mark.parametrize(("path", "said"), [("work", "Is a directory"), ("a\x1b[31m", r"a\x1b[31m cannot be read")])
def test_a_path_without_a_secret_is_refused(cli: CLI, webhook: HTTPServer, path: str, said: str) -> None:
    (cli.folder / "work").mkdir()
    cli.settings["HELPDESK_API_KEY_FILE"] = path
    assert said in refused(cli, "fetch", exit_code=USAGE)


def test_a_secret_and_its_file_in_the_same_source_are_refused(cli: CLI, webhook: HTTPServer) -> None:
    cli.settings |= {"HELPDESK_API_KEY": SECRET, "HELPDESK_API_KEY_FILE": str(put(cli, SECRET))}
    message = refused(cli, "fetch", exit_code=USAGE)
    assert "HELPDESK_API_KEY and HELPDESK_API_KEY_FILE are both set (environment): keep one of them" in message


@pytest.mark.parametrize("in_environment", ["HELPDESK_API_KEY", "HELPDESK_API_KEY_FILE"])
def test_between_a_secret_and_its_file_the_source_with_precedence_counts(
    cli: CLI, webhook: HTTPServer, in_environment: str
) -> None:
    cli.settings["HELPDESK_API_KEY"] = ""
    values = {"HELPDESK_API_KEY": "the text", "HELPDESK_API_KEY_FILE": str(put(cli, "in the file"))}
    (lower,) = set(values) - {in_environment}
    put(cli, f"{lower}={values[lower]}\n", ".env")
    cli.settings |= {in_environment: values[in_environment]}
    cli.ok("fetch")
    expected = "the text" if in_environment == "HELPDESK_API_KEY" else "in the file"
    assert webhook.requests[0].json["api_key"] == expected


def test_a_pipe_can_be_the_file_of_a_secret(cli: CLI, webhook: HTTPServer) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe\n")
    os.close(writer)
    cli.settings["HELPDESK_API_KEY_FILE"] = f"/dev/fd/{reader}"
    try:
        cli.ok("fetch")
    finally:
        os.close(reader)
    assert webhook.requests[0].json["api_key"] == "from a pipe"


@pytest.mark.parametrize("name", sorted(name for name, asked in known_settings().items() if asked.is_secret))
def test_every_secret_may_be_in_a_file(cli: CLI, name: str) -> None:
    values = Values((ValueSource("environment", {f"{name}_FILE": str(put(cli, "in a file\n"))}),))
    assert values.secret(name) == "in a file"
    assert unknown_settings(values) == []


# Names that no setting has


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("LLM_BACTH_SIZE", ": did you mean LLM_BATCH_SIZE?"),
        ("EMAIL_HOST", ": did you mean EMAIL_SMTP_HOST?"),
        ("HELPDESK_API_KEY_FIL", ": did you mean HELPDESK_API_KEY_FILE?"),
        ("HTTP_MAX_RETRYS", ": did you mean HTTP_MAX_RETRIES?"),
        ("LLM_XYZZY_123", ""),
    ],
)
def test_an_unknown_name_in_the_environment_that_looks_like_a_setting_causes_one_warning(
    cli: CLI, name: str, guess: str
) -> None:
    cli.settings[name] = SECRET
    result = cli.ok("fetch")
    assert result.stderr.count(f"{name} (environment) is not a setting{guess}\n") == 1
    assert SECRET not in result.stderr + result.stdout


@pytest.mark.parametrize("name", sorted(REMOVED_SETTINGS.keys() - known_settings().keys()))
def test_a_removed_setting_is_named_with_what_to_do(cli: CLI, name: str) -> None:
    advice = REMOVED_SETTINGS[name]
    cli.settings[name] = "2"
    assert f"{name} (environment) is no longer a setting. {advice}\n" in cli.ok("fetch").stderr
    del cli.settings[name]
    put(cli, f"{name}=2\n", ".env")
    assert f"{name} (env file .env, line 1) is no longer a setting. {advice}\n" in cli.ok("fetch").stderr


@pytest.mark.parametrize(
    "name",
    [
        *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY"),
        *("EMAIL", "LOG_LEVEL", "LOG_DIR", "WORKDIR", "OUTPUT", "CLASSIFIERS_HOME", "PATH", "LANG", "SSL_CERT_FILE"),
        *("CATALOG_URL", "SERVICE_NAME", "TERM", "REPORT", "_TICKETATTR_COMPLETE", "PYTHONPATH", "TICKET", "CODE_HOME"),
    ],
)
def test_a_name_that_other_programs_use_causes_no_warning(name: str) -> None:
    assert unknown_settings(Values((ValueSource("environment", {name: "x"}),))) == []


def test_every_unknown_name_in_an_env_file_causes_a_warning_with_its_line(cli: CLI) -> None:
    put(cli, "# ours\nWORK_DIR=work\n\nHTTP_PROXY=http://proxy\nllm_batch_size=3\n", ".env")
    errors = cli.ok("fetch").stderr
    assert "HTTP_PROXY (env file .env, line 4) is not a setting\n" in errors
    assert "llm_batch_size (env file .env, line 5) is not a setting: did you mean LLM_BATCH_SIZE?" in errors


def test_a_name_in_an_env_file_that_is_also_in_the_environment_causes_no_warning(cli: CLI) -> None:
    put(cli, "TZ=UTC\n", ".env")
    cli.settings["TZ"] = "UTC"
    assert "TZ" not in cli.ok("fetch").stderr


def test_a_name_that_may_be_a_secret_is_not_shown(cli: CLI) -> None:
    put(cli, f"A=1\nx{SECRET}Ab9/==\n", "my.env")
    errors = cli.ok("--env-file", "my.env", "fetch").stderr
    assert "a name (env file my.env, line 2) is not a setting" in errors
    assert SECRET not in errors


def test_with_quiet_there_are_no_warnings(cli: CLI) -> None:
    cli.settings["LLM_BACTH_SIZE"] = "3"
    assert cli.ok("--quiet", "fetch").stderr == ""


def test_warnings_do_not_go_to_stdout(cli: CLI) -> None:
    cli.settings["LLM_BACTH_SIZE"] = "3"
    assert cli.ok("fetch", "-o", "-").stdout.startswith("{")


# Mail settings as people write them


@pytest.mark.parametrize(
    ("recipients", "addresses"),
    [
        ("Service Desk <desk@example.com>", ["desk@example.com"]),
        ('"Desk, Service" <a@example.com>, b@example.com,', ["a@example.com", "b@example.com"]),
        ("<a@example.com>", ["a@example.com"]),
        ("info@müller.example", ["info@xn--mller-kva.example"]),
        ("Müller <info@MÜLLER.example>", ["info@xn--mller-kva.example"]),
    ],
)
def test_recipients_may_have_names_and_domains_beyond_ascii(cli: CLI, recipients: str, addresses: list[str]) -> None:
    cli.settings["EMAIL_RECIPIENT"] = recipients
    cli.ok("run")
    (mail,) = (cli.folder / "outbox").iterdir()
    parsed = message_from_bytes(mail.read_bytes(), EmailMessage, policy=SMTP)
    assert [address.addr_spec for address in parsed["To"].addresses] == addresses


@pytest.mark.parametrize(
    ("recipients", "said"),
    [
        ("müller@example.com", "the part before the @ must be ASCII"),
        ("info@-ü-.example", "its domain is not valid"),
        ("Desk", "it is not a mail address"),
        ("a@example.com <b@example.com", "it is not a mail address"),
        ("a@example.com\udcff", "is not UTF-8 text"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(cli: CLI, recipients: str, said: str) -> None:
    cli.settings["EMAIL_RECIPIENT"] = recipients
    assert said in refused(cli, "run", exit_code=USAGE)


def test_the_sender_may_have_a_name(cli: CLI) -> None:
    cli.settings["EMAIL_SENDER"] = '"Desk, Service" <bot@example.com>'
    cli.ok("run")
    (mail,) = (cli.folder / "outbox").iterdir()
    parsed = message_from_bytes(mail.read_bytes(), EmailMessage, policy=SMTP)
    (address,) = parsed["From"].addresses
    assert (address.display_name, address.addr_spec) == ("Desk, Service", "bot@example.com")


@example(text='","@0')
@given(text=st.one_of(st.text(max_size=60), st.text(st.sampled_from('ab@.,<>" \\ü'), max_size=60)))
def test_any_text_is_a_list_of_addresses_or_refused(text: str) -> None:
    for part in split_mailboxes(text):
        with suppress(ValueError):
            address = parse_mailbox(part).address
            assert address.isascii()
            assert not set(address) & set("\r\n\x00,")


@pytest.mark.parametrize("text", ['"' * 300_000, "<" * 300_000, ",\\" * 150_000, "@" * 300_000, "ü@" + "ü" * 300_000])
@pytest.mark.thorough
def test_a_long_text_takes_little_time(text: str) -> None:
    began = time.process_time()
    for part in split_mailboxes(text)[:100]:
        with suppress(ValueError):
            parse_mailbox(part)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", ["EMAIL_SUBJECT", "EMAIL_SENDER_NAME", "CODEBASE_URL"])
@pytest.mark.parametrize("command", [("run",), ("check",), ("send",)])
def test_a_setting_that_is_not_utf_8_is_refused_before_anything_is_paid(
    cli: CLI, name: str, command: tuple[str, ...]
) -> None:
    cli.settings[name] = "Gr\udcfc\udcdfe"
    result = cli(*command)
    assert result.exit_code != 0
    assert f"{name} is not UTF-8 text" in result.output
    assert not (cli.folder / "outbox").exists()
    assert not list(cli.folder.glob("work/*/attributions.json"))


@pytest.mark.parametrize("name", ["host name", "a\u00fc", "-x", "[127.0.0.1", "x" * 300])
def test_an_ehlo_name_that_is_no_host_name_is_refused(cli: CLI, name: str) -> None:
    cli.settings |= {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "127.0.0.1", "EMAIL_EHLO_NAME": name}
    assert "EMAIL_EHLO_NAME is not a host name" in refused(cli, "send", exit_code=USAGE)


@pytest.mark.parametrize(
    ("line", "is_said"),
    [
        ("EMAIL_SUBJECT=my #1 choice", True),
        ("EMAIL_SUBJECT=a # comment", True),
        ("export EMAIL_SUBJECT = a\t#b", True),
        ("EMAIL_SUBJECT='my #1 choice'", False),
        ('EMAIL_SUBJECT="my #1 choice" # comment', False),
        ("EMAIL_SUBJECT=secret#2024", False),
        ("EMAIL_SUBJECT=secret", False),
    ],
)
def test_a_value_that_ends_at_a_hash_sign_is_told(cli: CLI, line: str, is_said: bool) -> None:
    put(cli, f"A=1\n{line}\n", "hash.env")
    said = cli("--env-file", "hash.env", "fetch").stderr
    assert ("hash.env, line 2" in said and "quotation marks" in said) is is_said
    assert "2024" not in said
    assert "choice" not in said


# Extras


def test_missing_extras_are_named_together_with_one_command(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("telegram", "obstore"):
        monkeypatch.setitem(sys.modules, package, None)
    cli.settings |= {
        "CHAT_TELEGRAM_TOKEN": "1:a",
        "CHAT_ALLOW": "telegram:1:1:read",
        "REPORT_STORE_URL": "s3://reports",
    }
    said = refused(cli, "serve", exit_code=USAGE)
    assert "CHAT_TELEGRAM_TOKEN needs the extra telegram, which is not installed; REPORT_STORE_URL needs" in said
    assert said.splitlines()[-1] == f"hint: {install_hint('telegram', 'store')}"


def test_a_setting_to_correct_is_named_beside_a_missing_extra(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "telegram", None)
    cli.settings |= {"CHAT_TELEGRAM_TOKEN": "1:a"}
    said = refused(cli, "serve", exit_code=USAGE)
    assert f"{install_hint('telegram')} Set the others in the environment or in .env" in said
