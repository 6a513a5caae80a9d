"""Whatever is wrong with what comes in: the exit code, and a message that says what to do, with nothing half-done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI, DATA
from ..servers import HTTPServer, Response

SECRET = "canary"
USAGE, INPUT, SERVICE = ExitCode.USAGE, ExitCode.INPUT, ExitCode.SERVICE

SOURCES = ["HELPDESK_API_URL", "SERVICE_CATALOG_URL"]
KEYS = ["HELPDESK_API_KEY", "HELPDESK_API_SECRET"]
MAIL = ["EMAIL_SMTP_HOST", "EMAIL_SENDER", "EMAIL_RECIPIENT", "CODEBASE_URL"]


def refused(cli: CLI, *args: str, exit_code: ExitCode, stdin: str | bytes = b"") -> str:
    """What stderr says: an error and perhaps a hint, with nothing written, no secret and nothing that steers."""
    before = listing(cli.folder)
    result = cli("--quiet", *args, stdin=stdin)
    assert result.exit_code == exit_code, result.stderr
    assert result.stdout == ""
    error, *hint = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert len(hint) == 1, error
    assert all(line.startswith("hint: ") for line in hint)
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", result.stderr)
    assert listing(cli.folder) == before
    return result.stderr


def listing(folder: Path) -> dict[Path, bytes | None]:
    """What lies there, but for the catalog that is kept whatever becomes of the run."""
    paths = set(folder.rglob("*")) - {folder / "work", folder / "work" / "service-catalog.json"}
    return {path: path.read_bytes() if path.is_file() else None for path in paths}


@pytest.fixture
def webhook(cli: CLI, http: HTTPServer) -> HTTPServer:
    """A helpdesk that is asked with secrets everywhere."""
    cli.settings |= {
        "HELPDESK_API_URL": http.url.replace("//", f"//{SECRET}:{SECRET}@") + f"/hook?token={SECRET}",
        "HELPDESK_API_KEY": f"{SECRET} key",
        "HELPDESK_API_SECRET": f"{SECRET} secret",
    }
    return http


@pytest.fixture
def run_folder(cli: CLI) -> Path:
    """The folder of a run whose stages were all done."""
    cli.ok("fetch")
    return Path(cli.ok("classify").stdout.strip()).parent


# Settings that are missing


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["fetch"], SOURCES),
        (["classify"], ["LLM_API_KEY"]),
        (["send"], MAIL),
        (["run"], [*SOURCES, "LLM_API_KEY", *MAIL]),
        (["run", "--dry-run"], [*SOURCES, "LLM_API_KEY"]),
        (["run", "--classifier", "offline"], [*SOURCES, *MAIL]),
    ],
    ids=" ".join,
)
def test_all_missing_settings_are_named_at_once_with_the_command(
    cli: CLI, command: list[str], missing: list[str]
) -> None:
    cli.settings.clear()
    message = refused(cli, *command, exit_code=USAGE)
    assert f"`ticketattr {command[0]}` needs settings that are not set: " in message
    assert re.findall(r"[A-Z]+_[A-Z_]+", message.splitlines()[0]) == missing
    assert ".env" in message


@pytest.mark.parametrize("command", [["pending", "list"], ["pending", "list", "--all"]], ids=" ".join)
def test_a_command_that_needs_no_settings_runs_without_them(cli: CLI, command: list[str]) -> None:
    cli.settings.clear()
    cli.ok(*command)


def test_a_helpdesk_behind_http_needs_a_key_and_a_secret(cli: CLI) -> None:
    cli.settings["HELPDESK_API_URL"] = "HTTPS://desk.example/hook"
    assert f"not set: {', '.join(KEYS)}" in refused(cli, "fetch", exit_code=USAGE)


@pytest.mark.parametrize("value", ["", "  "], ids=["empty", "blank"])
def test_an_empty_value_counts_as_not_set(cli: CLI, value: str) -> None:
    cli.settings |= dict.fromkeys(SOURCES, value)
    assert f"not set: {', '.join(SOURCES)}" in refused(cli, "fetch", exit_code=USAGE)


@pytest.mark.parametrize("name", ["HTTP_TIMEOUT", "HTTP_MAX_RETRIES", "HTTP_BACKOFF_FACTOR", "WORK_DIR"])
def test_an_empty_value_leaves_the_default(cli: CLI, name: str) -> None:
    cli.settings[name] = ""
    assert cli.ok("fetch").stdout.startswith("work/")


# Settings that are wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_TIMEOUT", "soon"),
        ("HTTP_TIMEOUT", "nan"),
        ("HTTP_TIMEOUT", "inf"),
        ("HTTP_TIMEOUT", "0"),
        ("HTTP_TIMEOUT", "-1"),
        ("HTTP_MAX_RETRIES", "1.5"),
        ("HTTP_MAX_RETRIES", "-1"),
        ("HTTP_MAX_RETRIES", "1000"),
        ("HTTP_MAX_RETRIES", "9" * 5000),
        ("HTTP_BACKOFF_FACTOR", "-0.1"),
        ("HTTP_BACKOFF_FACTOR", "NaN"),
        ("WORK_DIR", "work\x1b[31m"),
        ("HELPDESK_API_URL", "tickets\x07.json"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_wrong_setting_is_named(cli: CLI, name: str, value: str) -> None:
    cli.settings[name] = value
    assert name in refused(cli, "fetch", exit_code=USAGE)


def test_everything_that_is_wrong_or_missing_is_named_at_once(cli: CLI) -> None:
    cli.settings |= {"HTTP_TIMEOUT": "soon", "HTTP_MAX_RETRIES": "many", "SERVICE_CATALOG_URL": ""}
    message = refused(cli, "fetch", exit_code=USAGE)
    for name in ("HTTP_TIMEOUT", "HTTP_MAX_RETRIES", "SERVICE_CATALOG_URL"):
        assert name in message


def test_an_unknown_classifier_is_named_with_the_known_ones(cli: CLI) -> None:
    cli.settings["CLASSIFIER"] = "oracle"
    assert "CLASSIFIER is not one of gemini, openai, offline, cascade: oracle" in refused(
        cli, "classify", exit_code=USAGE
    )


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("character", ["\n", "\x1b", "\udcff"], ids=["line end", "escape", "not UTF-8"])
def test_a_secret_that_is_not_valid_is_named_and_not_shown(
    cli: CLI, webhook: HTTPServer, name: str, character: str
) -> None:
    cli.settings[name] = f"{SECRET}{character}{SECRET}"
    assert name in refused(cli, "fetch", exit_code=USAGE)
    assert not webhook.requests


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"https://{SECRET}@[::1/x", id="open bracket"),
        pytest.param(f"http://user:{SECRET}@127.0.0.1:99999/x", id="port too large"),
        pytest.param(f"http://user:{SECRET}/{SECRET}@desk.example/x", id="password with a slash"),
        pytest.param(f"http://user:{SECRET}#{SECRET}@desk.example/x", id="password with a hash"),
        pytest.param(f"ftp://user:{SECRET}@desk.example/x?{SECRET}", id="other scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("file:///x%00y", id="zero byte"),
    ],
)
def test_a_url_that_is_not_valid_is_a_wrong_setting(cli: CLI, name: str, url: str) -> None:
    cli.settings |= {name: url, **dict.fromkeys(KEYS, SECRET)}
    assert name in refused(cli, "fetch", exit_code=USAGE)


# The env file


def test_an_env_file_that_does_not_exist_is_named(cli: CLI) -> None:
    message = refused(cli, "--env-file", "missing.env", "fetch", exit_code=USAGE)
    assert "the env file missing.env cannot be read: No such file or directory" in message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(f"{SECRET} {SECRET}\n", 1, id="first"),
        pytest.param(f"A=1\nB=2\n={SECRET}\n", 3, id="third"),
        pytest.param(f"# ours\n\nA=1\n\n\nno {SECRET}\n", 6, id="after empty lines"),
        pytest.param(f"A=1\n# key\nB='{SECRET}\nC=2\n", 3, id="open quote"),
        pytest.param(f"\ufeffA=1\r\n\r\nno {SECRET}\r\n", 3, id="saved on Windows"),
    ],
)
def test_a_syntax_error_in_an_env_file_is_named_with_its_line(cli: CLI, content: str, line: int) -> None:
    (cli.folder / ".env").write_bytes(content.encode())
    assert f".env, line {line}: expected NAME=value" in refused(cli, "fetch", exit_code=USAGE)


@pytest.mark.parametrize("content", [b"A=\xff\n", "A=1".encode("utf-16")], ids=["Latin-1", "UTF-16"])
def test_an_env_file_that_is_not_utf_8_is_refused(cli: CLI, content: bytes) -> None:
    (cli.folder / ".env").write_bytes(content)
    assert "the env file .env cannot be read: it is not UTF-8 text" in refused(cli, "fetch", exit_code=USAGE)


def test_an_env_file_that_is_a_folder_is_refused(cli: CLI) -> None:
    (cli.folder / ".env").mkdir()
    assert "the env file .env cannot be read: Is a directory" in refused(cli, "fetch", exit_code=USAGE)


@pytest.mark.parametrize(
    ("flag", "environment", "env_file", "chosen"),
    [
        ("offline", "gemini", "gemini", "offline"),
        ("gemini", "offline", "offline", "gemini"),
        (None, "offline", "gemini", "offline"),
        (None, "gemini", "offline", "gemini"),
        (None, None, "offline", "offline"),
        (None, None, None, "gemini"),
    ],
    ids=["flag", "flag the other way", "environment", "environment the other way", "env file", "default"],
)
@pytest.mark.parametrize("options", [[], ["--env-file", "my.env"]], ids=[".env", "--env-file"])
def test_an_option_takes_precedence_over_environment_env_file_and_default(
    cli: CLI, flag: str | None, environment: str | None, env_file: str | None, chosen: str, options: list[str]
) -> None:
    cli.ok("fetch")
    del cli.settings["CLASSIFIER"]
    if environment:
        cli.settings["CLASSIFIER"] = environment
    (cli.folder / (options[-1] if options else ".env")).write_text(f"CLASSIFIER={env_file}\n" if env_file else "")
    command = [*options, "classify", *(["--classifier", flag] if flag else [])]
    if chosen == "offline":
        cli.ok(*command)
    else:
        assert "LLM_API_KEY" in refused(cli, *command, exit_code=USAGE)


def test_an_env_file_that_is_named_replaces_the_default_one(cli: CLI) -> None:
    (cli.folder / ".env").write_text("WORK_DIR=from-default\n")
    (cli.folder / "my.env").write_text("WORK_DIR=from-mine\n")
    assert cli.ok("fetch").stdout.startswith("from-default/")
    assert cli.ok("--env-file", "my.env", "fetch").stdout.startswith("from-mine/")


def test_a_dollar_sign_in_an_env_file_is_a_dollar_sign(cli: CLI, webhook: HTTPServer) -> None:
    webhook.routes["/hook"] = [Response(body=[])]
    del cli.settings["HELPDESK_API_KEY"]
    (cli.folder / ".env").write_text('export HELPDESK_API_KEY="pa$$word ${HOME} # x"  # the key\n')
    cli.ok("fetch")
    assert webhook.requests[0].json["api_key"] == "pa$$word ${HOME} # x"


# The helpdesk


def test_a_helpdesk_that_cannot_be_reached_exits_with_4(cli: CLI, webhook: HTTPServer, closed_port: int) -> None:
    url = re.sub(r":\d+/", f":{closed_port}/", cli.settings["HELPDESK_API_URL"])
    cli.settings["HELPDESK_API_URL"] = url
    message = refused(cli, "fetch", exit_code=SERVICE)
    assert "the helpdesk did not answer" in message
    assert "Try again later." in message


@pytest.mark.parametrize("command", [["fetch"], ["run", "--dry-run"]], ids=" ".join)
@pytest.mark.parametrize(
    ("response", "exit_code", "said"),
    [
        pytest.param(Response(401), USAGE, ["401 Unauthorized", *KEYS], id="wrong key"),
        pytest.param(Response(404), USAGE, ["404 Not Found", "HELPDESK_API_URL"], id="wrong URL"),
        pytest.param(Response(302, headers={"Location": f"/x?{SECRET}"}), USAGE, ["HELPDESK_API_URL"], id="redirect"),
        pytest.param(Response(503), SERVICE, ["503 Service Unavailable", "Try again later."], id="busy"),
        pytest.param(Response(429), SERVICE, ["429 Too Many Requests", "Try again later."], id="too many requests"),
        pytest.param(Response(body=b"<html>canary</html>"), INPUT, ["is a web page", "check the URL"], id="web page"),
        pytest.param(Response(body=b'{"data": [{"id'), INPUT, ["is not valid JSON"], id="truncated"),
        pytest.param(Response(body={"data": None}), INPUT, ["does not hold a list of tickets"], id="no list"),
        pytest.param(Response(body=b"[" * 100_000), INPUT, ["nested too deeply"], id="nested"),
        pytest.param(Response(body=[SECRET]), INPUT, ["item 1", "is not a ticket"], id="no tickets"),
        pytest.param(Response(body={"response_code": 401, "message": SECRET}), USAGE, KEYS, id="401 inside"),
        pytest.param(Response(body={"response_code": 500}), SERVICE, ["Try again later."], id="500 inside"),
        pytest.param(Response(headers={"Content-Encoding": "gzip"}), INPUT, ["compressed"], id="compressed"),
    ],
)
def test_a_bad_answer_of_the_helpdesk_stops_before_anything_is_written(
    cli: CLI, webhook: HTTPServer, command: list[str], response: Response, exit_code: ExitCode, said: list[str]
) -> None:
    cli.settings["HTTP_MAX_RETRIES"] = "1"
    webhook.routes["/hook"] = [response]
    message = refused(cli, *command, exit_code=exit_code)
    for text in said:
        assert text in message


def test_verbose_logs_contain_no_secret(cli: CLI, webhook: HTTPServer) -> None:
    webhook.routes["/hook"] = [Response(503), Response(body=[{"id": SECRET, "subject": SECRET}])]
    result = cli.ok("--verbose", "fetch")
    assert "503 Service Unavailable; retry 1" in result.stderr
    assert SECRET not in result.stderr


# The catalog


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("service_catalog: [", "is not valid YAML", id="no YAML"),
        pytest.param("", "the catalog is empty", id="empty"),
        pytest.param("<html>", "is a web page", id="web page"),
        pytest.param("a: !!python/object/apply:os.system [x]", "is not allowed", id="Python"),
        pytest.param("a: &a [*a]", "aliases are not allowed", id="alias"),
        pytest.param('"\\e[31m\\u202e": {}\n"\\e[31m\\u202e": {}', "occurs twice", id="name that steers"),
    ],
)
def test_a_wrong_catalog_is_refused_with_its_file(cli: CLI, content: str, said: str) -> None:
    (cli.folder / "catalog.yaml").write_text(content)
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    message = refused(cli, "fetch", exit_code=INPUT)
    assert message.startswith("error: catalog.yaml")
    assert said in message


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_does_not_exist_is_named_with_its_setting(cli: CLI, name: str) -> None:
    cli.settings[name] = "missing\udcff\u2028file"
    message = refused(cli, "fetch", exit_code=INPUT)
    assert "cannot be read: No such file or directory" in message
    assert f"Check {name}." in message


def test_without_a_catalog_the_helpdesk_is_not_asked(cli: CLI, webhook: HTTPServer) -> None:
    cli.settings["SERVICE_CATALOG_URL"] = "missing.yaml"
    refused(cli, "fetch", exit_code=INPUT)
    assert not webhook.requests


# Stage files


@pytest.mark.parametrize(("command", "first"), [("classify", "fetch"), ("report", "fetch")])
def test_without_a_run_the_first_command_is_named(cli: CLI, command: str, first: str) -> None:
    message = refused(cli, command, exit_code=INPUT)
    assert "work has no run" in message
    assert f"Run `ticketattr {first}` first." in message


@pytest.mark.parametrize(
    ("command", "stage", "first"),
    [
        ("classify", "tickets", "fetch"),
        ("classify", "catalog", "fetch"),
        ("report", "attributions", "classify"),
    ],
    ids=["tickets", "catalog", "attributions"],
)
class TestStageFile:
    def test_that_is_missing_names_what_makes_it(
        self, cli: CLI, run_folder: Path, command: str, stage: str, first: str
    ) -> None:
        path = run_folder / f"{stage}.json"
        path.unlink()
        message = refused(cli, command, exit_code=INPUT)
        assert f"{path} cannot be read: No such file or directory" in message
        assert f"Run `ticketattr {first}` first." in message

    def test_of_another_version_is_refused(
        self, cli: CLI, run_folder: Path, command: str, stage: str, first: str
    ) -> None:
        path = run_folder / f"{stage}.json"
        path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
        message = refused(cli, command, exit_code=INPUT)
        assert f"{path} has schema version 2, but this ticketattr reads version 1" in message
        assert f"Run `ticketattr {first}` first." in message

    def test_that_ends_half_way_is_refused(
        self, cli: CLI, run_folder: Path, command: str, stage: str, first: str
    ) -> None:
        path = run_folder / f"{stage}.json"
        path.write_bytes(path.read_bytes()[:-100])
        message = refused(cli, command, exit_code=INPUT)
        assert f"{path} is not valid JSON" in message
        assert f"Run `ticketattr {first}` first." in message


def test_if_the_newest_run_is_not_complete_no_older_run_is_used(cli: CLI, run_folder: Path) -> None:
    newest = run_folder.with_name("20991231T235959Z-0000")
    newest.mkdir()
    assert f"{newest}/tickets.json cannot be read" in refused(cli, "classify", exit_code=INPUT)
    assert f"{newest}/attributions.json cannot be read" in refused(cli, "report", exit_code=INPUT)


def test_tickets_and_catalog_of_different_runs_are_refused_together(cli: CLI, run_folder: Path) -> None:
    newest = Path(cli.ok("fetch").stdout.strip()).parent
    message = refused(cli, "classify", "--catalog", str(run_folder / "catalog.json"), exit_code=INPUT)
    assert run_folder.name in message
    assert newest.name in message


def test_a_run_id_cannot_lead_to_another_folder(cli: CLI, run_folder: Path) -> None:
    tickets = json.loads((run_folder / "tickets.json").read_text())
    stdin = json.dumps(tickets | {"run_id": f"../../{run_folder.name}"})
    assert "stdin does not have a valid header" in refused(cli, "classify", "-i", "-", exit_code=INPUT, stdin=stdin)


def test_wrong_input_from_a_pipe_is_named_as_stdin(cli: CLI) -> None:
    assert "stdin is not valid JSON" in refused(cli, "report", "-i", "-", exit_code=INPUT)


def test_a_file_and_its_name_do_not_control_the_terminal(cli: CLI) -> None:
    name = "tickets\x1b[31m\n\u202e.json"
    (cli.folder / name).write_text('{"kind": "tickets", "schema_version": "\\u001b[31m\\u2028"}')
    message = refused(cli, "classify", "-i", name, exit_code=INPUT)
    assert r"tickets\x1b[31m\n\u202e.json has schema version \x1b[31m\u2028" in message


# Where results go


def test_an_output_that_cannot_be_written_is_a_usage_error(cli: CLI, run_folder: Path) -> None:
    (cli.folder / "file").touch()
    for command in ("classify", "report"):
        for output in ("file/out", "file/folder/out", "work"):
            message = refused(cli, command, "-o", output, exit_code=USAGE)
            # A folder is for the answers of many files.
            is_for_many = (command, output) == ("classify", "work")
            assert ("many files need --input" if is_for_many else f"{output} cannot be written") in message
            assert "hint: " in message


@pytest.mark.parametrize(("setting", "command"), [("WORK_DIR", "fetch"), ("OUTPUT_DIR", "report")])
def test_a_folder_that_cannot_be_made_is_a_usage_error(cli: CLI, run_folder: Path, setting: str, command: str) -> None:
    (cli.folder / "file").touch()
    cli.settings[setting] = "file/folder"
    assert "cannot be written: Not a directory" in refused(cli, command, exit_code=USAGE)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["classify", "-i", "-", "--catalog", "-"], "cannot both come from stdin"),
        (["fetch", "-o", "-", "--catalog-output", "-"], "cannot both go to stdout"),
        (["fetch", "-o", "one.json", "--catalog-output", "one.json"], "cannot both go to one.json"),
    ],
    ids=["stdin", "stdout", "file"],
)
def test_two_outputs_cannot_have_the_same_path(cli: CLI, args: list[str], said: str) -> None:
    assert f"tickets and catalog {said}" in refused(cli, *args, exit_code=USAGE)


def test_two_sources_cannot_both_be_stdin(cli: CLI) -> None:
    catalog = Path(cli.settings["SERVICE_CATALOG_URL"]).read_text()
    cli.settings |= dict.fromkeys(SOURCES, "-")
    message = refused(cli, "fetch", exit_code=USAGE, stdin=catalog)
    for name in SOURCES:
        assert name in message


@pytest.mark.parametrize(
    "args",
    [
        ["fetch", "--nonsense"],
        ["nonsense"],
        ["classify", "--classifier", "oracle"],
        ["pending", "list", "--format", "xml"],
        ["pending"],
        [],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_error(cli: CLI, args: list[str]) -> None:
    result = cli(*args)
    assert result.exit_code == USAGE
    assert "Usage: " in result.output
    assert list(cli.folder.iterdir()) == []


def test_verbose_and_quiet_exclude_each_other(cli: CLI) -> None:
    assert "-v and -q exclude each other" in refused(cli, "-v", "fetch", exit_code=USAGE)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("--env-file nowhere run", "Check --env-file."),
        ("send --report nowhere.xlsx", "Check the path"),
        ("pending adopt nowhere.xlsx", "Check the path"),
        ("pending resolve nowhere.xlsx", "Use either --sent or --resend."),
        ("pending restore nowhere.db", "`ticketattr pending backup`"),
        ("corrections import nowhere.xlsx", "Check the path"),
        ("corrections import nowhere.ods", "`ticketattr report`"),
        ("evaluate nowhere.jsonl --catalog nowhere.yaml", "Check --catalog."),
        ("evaluate nowhere.jsonl --catalog catalog.yaml", "Check the path"),
    ],
    ids=lambda value: value.split()[0],
)
def test_a_missing_input_is_named_with_what_to_do_next(cli: CLI, command: str, hint: str) -> None:
    (cli.folder / "catalog.yaml").write_bytes((DATA / "catalog.yaml").read_bytes())
    (cli.folder / "nowhere.ods").write_bytes(b"PK")
    result = cli("--quiet", *command.split())
    assert result.exit_code in (USAGE, INPUT)
    _, told = result.stderr.splitlines()
    assert told.startswith("hint: ")
    assert hint in told


def test_adopting_no_report_makes_no_empty_report_log(cli: CLI) -> None:
    assert "0 reports marked as sent" in cli.ok("pending", "adopt").stderr
    assert not (cli.folder / "output" / "reports.db").exists()
