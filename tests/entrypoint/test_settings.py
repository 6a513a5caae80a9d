"""Where settings come from: profiles, secrets in files, and names that no setting has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ticketattr.entrypoint.settings.environment import Environment
from ticketattr.entrypoint.settings.names import SECTIONS, known_settings
from ticketattr.entrypoint.settings.unknown_settings import REMOVED_SETTINGS, unknown_settings
from ticketattr.entrypoint.settings.values import MAX_SECRET, Values, ValueSource, read_values
from ticketattr.errors import ExitCode

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
    secrets = {name: "https://secret.example.com" for name, asked in known_settings().items() if asked.is_secret}
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
