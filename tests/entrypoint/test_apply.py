"""`apply` and `changes` against a helpdesk on loopback that refuses stale writes, counts, and misbehaves."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket
from ticketattr.domain.write_back import marker_of
from ticketattr.infrastructure.delivery.sender_lock import acquire
from ticketattr.infrastructure.helpdesk.applied_db import SQLiteChangeLedger

from ..changing_desk import PROFILE, RUN, ChangingDesk, Held, applied_file, attributed, listed, prepare, states, use
from ..conftest import CLI
from ..fakes import GENERAL, LAPTOP, MIDNIGHT, PASSWORD
from ..servers import HTTPServer, Response
from .test_serve import served

OURS = PASSWORD.pair
THEIRS = LAPTOP.pair


@pytest.fixture
def desk(http: HTTPServer) -> ChangingDesk:
    return ChangingDesk(http)


def fill(cli: CLI, desk: ChangingDesk, *ids: str) -> None:
    prepare(cli, desk, [attributed(name) for name in ids or ("1",)])


class TestModes:
    def test_fill_sets_the_pair_and_notes_why_once(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        result = cli.ok("apply", "--mode", "fill")
        assert "fill: 2 changes: 2 applied" in result.stderr
        assert [held.pair for held in desk.tickets.values()] == [OURS, OURS]
        note = desk.tickets["1"].notes[0]
        assert "Confidence: 0.95" in note
        assert marker_of("1", "fill", OURS) in note
        asked = len(desk.asked)
        again = cli.ok("apply", "--mode", "fill")
        assert "2 written or suggested before" in again.stderr
        assert len(desk.asked) == asked
        assert desk.count("PUT") == 2

    def test_suggest_adds_a_note_and_sets_nothing(self, cli: CLI, desk: ChangingDesk) -> None:
        other = attributed("1", confidence=0.4)
        assert isinstance(other.outcome, Attribution)
        prepare(cli, desk, [replace(other, outcome=replace(other.outcome, alternatives=(LAPTOP, GENERAL)))])
        cli.ok("apply", "--mode", "suggest")
        held = desk.tickets["1"]
        assert held.pair == ("", "")
        assert "suggests the request type Access / Password Reset" in held.notes[0]
        assert "Next best: Hardware / Laptop Repair; Other / General Inquiry" in held.notes[0]
        cli.ok("apply", "--mode", "suggest")
        assert len(held.notes) == 1

    def test_shadow_records_what_fill_would_set_and_asks_nothing(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        result = cli.ok("apply", "--mode", "shadow")
        assert "1 applied (nothing was written)" in result.stderr
        assert desk.asked == []
        assert states(cli) == {"shadow applied": 1}

    def test_off_is_the_default_and_says_so(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        result = cli("apply")
        assert (result.exit_code, desk.asked) == (2, [])
        assert "HELPDESK_WRITE is off" in result.stderr

    def test_a_dry_run_shows_each_change_and_how_long_they_take_and_writes_nothing(
        self, cli: CLI, desk: ChangingDesk
    ) -> None:
        fill(cli, desk, *map(str, range(1, 31)))
        use(cli, desk.server.url, f"{PROFILE}limits: {{requests_per_minute: 300}}\n")
        result = cli.ok("apply", "--mode", "fill", "--dry-run")
        assert result.stdout.count("Access / Password Reset") == 30
        assert "30 changes would be made, in at least 24 s by the limit of the helpdesk, none was" in result.stderr
        assert desk.asked == []
        assert not (cli.folder / "work" / "applied.db").exists()

    @pytest.mark.parametrize("mode", ["fill", "suggest"])
    def test_a_helpdesk_without_update_cannot_be_written(self, cli: CLI, desk: ChangingDesk, mode: str) -> None:
        fill(cli, desk)
        use(cli, desk.server.url, PROFILE.partition("update:")[0])
        result = cli("apply", "--mode", mode)
        assert (result.exit_code, desk.asked) == (2, [])
        assert "its profile does not say how" in result.stderr
        cli.ok("apply", "--mode", "shadow")
        cli.settings["HELPDESK_WRITE"] = mode
        assert (cli("run").exit_code, desk.asked) == (2, [])

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("https://127.0.0.1:1", "needs another profile than webhook"),
            ("tickets.csv", "needs a helpdesk, but HELPDESK_API_URL is a file"),
        ],
    )
    def test_what_cannot_be_written_is_refused_before_anything_is_fetched(
        self, cli: CLI, url: str, message: str
    ) -> None:
        cli.settings |= {"HELPDESK_WRITE": "fill", "HELPDESK_API_URL": url}
        cli.settings |= {"HELPDESK_API_KEY": "key", "HELPDESK_API_SECRET": "secret"}
        result = cli("run")
        assert result.exit_code == 2
        assert f"HELPDESK_WRITE=fill {message}" in result.stderr

    def test_a_limit_is_resumed_by_the_next_call(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, *"12345")
        first = cli("apply", "--mode", "fill", "--limit", "2")
        assert first.exit_code == 5
        assert "3 changes left for the next run" in first.stderr
        cli("apply", "--mode", "fill", "--limit", "2")
        cli.ok("apply", "--mode", "fill", "--limit", "2")
        assert [held.writes for held in desk.tickets.values()] == [1] * 5


class TestWhatIsWritten:
    def test_only_what_is_certain_unique_and_in_the_catalog(self, cli: CLI, desk: ChangingDesk) -> None:
        unknown = RequestType("Access", "Badge", SLA(1, "days"))
        prepare(
            cli,
            desk,
            [
                attributed("certain", confidence=0.9),
                attributed("uncertain", confidence=0.89),
                attributed("unknown", confidence=None),
                attributed("corrected", confidence=None, source="corrected"),
                attributed("confirmed", confidence=None, source="confirmed"),
                attributed("twice"),
                attributed("twice"),
                attributed(""),
                attributed("gone from the catalog", unknown),
                attributed("unattributed", None),
            ],
        )
        result = cli.ok("apply", "--mode", "fill")
        assert {name for name, held in desk.tickets.items() if held.writes} == {"certain", "corrected", "confirmed"}
        for words in (
            "3 no unique id",
            "2 confidence below APPLY_ABOVE",
            "1 not in the current catalog",
            "1 no request type",
        ):
            assert words in result.stderr

    def test_the_threshold_can_differ_by_category(self, cli: CLI, desk: ChangingDesk) -> None:
        prepare(cli, desk, [attributed("1", confidence=0.95), attributed("2", LAPTOP, 0.75)])
        (cli.folder / "above.yaml").write_text("default: 0.99\nhardware: 0.7\n", encoding="utf-8")
        cli.settings["APPLY_ABOVE"] = "above.yaml"
        cli.ok("apply", "--mode", "fill")
        assert [held.pair for held in desk.tickets.values()] == [("", ""), THEIRS]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("1.5", "APPLY_ABOVE is not a number from 0 to 1"),
            ("nan", "APPLY_ABOVE is not a number from 0 to 1"),
            ("missing.yaml", "APPLY_ABOVE: missing.yaml"),
            ("above.yaml", "APPLY_ABOVE: above.yaml, line 2: expected a number from 0 to 1 here"),
        ],
    )
    def test_a_wrong_threshold_is_named(self, cli: CLI, desk: ChangingDesk, value: str, message: str) -> None:
        fill(cli, desk)
        (cli.folder / "above.yaml").write_text("default: 0.9\nHardware: high\n", encoding="utf-8")
        cli.settings["APPLY_ABOVE"] = value
        result = cli("apply", "--mode", "fill")
        assert (result.exit_code, desk.asked) == (2, [])
        assert message in result.stderr

    def test_a_pair_that_the_catalog_lost_since_is_not_written(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        catalog = Path(cli.settings["SERVICE_CATALOG_URL"]).read_text(encoding="utf-8")
        (cli.folder / "new.yaml").write_text(catalog.replace("Password Reset", "Passwords"), encoding="utf-8")
        result = cli.ok("apply", "--mode", "fill", "--catalog", "new.yaml")
        assert "1 not in the current catalog" in result.stderr
        assert desk.count("PUT") == 0

    def test_a_correction_replaces_what_we_wrote_but_not_what_a_person_set(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        cli.ok("apply", "--mode", "fill")
        desk.tickets["2"].person_sets(*GENERAL.pair)
        later = "20261124T000000Z-0001"
        prepare(
            cli,
            desk,
            [
                AttributedTicket(Ticket(name, "x", request_category=pair[0], request_type=pair[1]), outcome)
                for name, pair in (("1", OURS), ("2", GENERAL.pair))
                for outcome in [Attribution(LAPTOP, "corrected")]
            ],
            later,
        )
        result = cli.ok("apply", "--mode", "fill")
        assert [held.pair for held in desk.tickets.values()] == [THEIRS, GENERAL.pair]
        assert "1 kept: a person set another value" in result.stderr

    def test_a_category_that_a_person_set_stays_and_its_type_is_added(self, cli: CLI, desk: ChangingDesk) -> None:
        desk.tickets["1"] = Held("Access", "")
        desk.tickets["2"] = Held("Hardware", "")
        fill(cli, desk, "1", "2")
        cli.ok("apply", "--mode", "fill")
        assert [held.pair for held in desk.tickets.values()] == [OURS, ("Hardware", "")]
        assert states(cli) == {"fill applied": 1, "fill kept": 1}
        assert json.loads(desk.server.requests[1].body) == {"type": "Password Reset"}

    def test_a_ticket_that_was_closed_meanwhile_stays(self, cli: CLI, desk: ChangingDesk) -> None:
        desk.tickets["1"] = Held(state="closed")
        fill(cli, desk)
        cli.ok("apply", "--mode", "fill")
        assert desk.count("PUT") == 0
        assert listed(cli)[0]["detail"] == "the ticket is closed"


class TestPeople:
    def test_an_edit_before_reading_is_kept(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.tickets["1"].person_sets(*THEIRS)
        cli.ok("apply", "--mode", "fill")
        assert (desk.tickets["1"].pair, desk.count("PUT")) == (THEIRS, 0)
        assert states(cli) == {"fill kept": 1}

    def test_an_edit_between_reading_and_writing_is_a_conflict(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_read = once(lambda held: held.person_sets(*THEIRS))
        result = cli.ok("apply", "--mode", "fill")
        assert desk.tickets["1"].pair == THEIRS
        assert desk.tickets["1"].writes == 0
        assert "1 conflict" in result.stderr

    def test_another_edit_of_the_ticket_only_costs_a_second_try(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_read = once(lambda held: setattr(held, "version", held.version + 1))
        cli.ok("apply", "--mode", "fill")
        assert (desk.tickets["1"].pair, desk.tickets["1"].writes, desk.count("PUT")) == (OURS, 1, 2)

    def test_a_ticket_that_never_rests_is_a_conflict(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_read = lambda _, held: setattr(held, "version", held.version + 1)
        cli.ok("apply", "--mode", "fill")
        assert states(cli) == {"fill conflict": 1}
        assert desk.count("PUT") == 3

    def test_an_edit_right_after_writing_stays(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_write = once(lambda held: held.person_sets(*THEIRS))
        cli.ok("apply", "--mode", "fill")
        assert desk.tickets["1"].pair == THEIRS
        assert states(cli) == {"fill conflict": 1}
        cli.ok("apply", "--mode", "fill")
        assert (desk.tickets["1"].pair, desk.count("PUT")) == (THEIRS, 1)

    def test_what_a_person_emptied_later_is_not_filled_again(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "fill")
        desk.tickets["1"].person_sets("", "")
        cli.ok("apply", "--mode", "fill")
        assert desk.tickets["1"].pair == ("", "")


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "state"),
        [(409, "conflict"), (400, "refused"), (403, "refused"), (404, "refused"), (422, "refused"), (302, "refused")],
    )
    def test_a_refusal_is_recorded_with_the_answer_and_goes_again(
        self, cli: CLI, desk: ChangingDesk, status: int, state: str
    ) -> None:
        fill(cli, desk)
        answer = Response(status, {"error": "Category is\u202e mandatory", "you sent": "the-secret-key"})
        desk.before_write = lambda _, held: answer
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == (5 if state == "refused" else 0)
        assert states(cli) == {f"fill {state}": 1}
        if state == "refused":
            detail = listed(cli)[0]["detail"]
            assert detail.startswith(f"{status} ")
            assert "the-secret-key" not in detail
            assert "\u202e" not in result.stderr
        desk.before_write = lambda _, held: None
        cli.ok("apply", "--mode", "fill")
        assert desk.tickets["1"].writes == 1

    def test_a_value_that_the_helpdesk_lost_or_does_not_take_is_refused(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.before_write = lambda _, held: Response(body=["Category: invalid value"])
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == 5
        assert "it took the request and set nothing: 200" in result.stderr

    @pytest.mark.parametrize("kept", [("Access", ""), ("Access", "Passw")])
    def test_a_value_that_is_cut_or_taken_by_half_is_put_back(
        self, cli: CLI, desk: ChangingDesk, kept: tuple[str, str]
    ) -> None:
        fill(cli, desk)
        desk.after_write = once(lambda held: held.__dict__.update(zip(("category", "type"), kept, strict=True)))
        result = cli("apply", "--mode", "fill")
        assert (result.exit_code, desk.tickets["1"].pair) == (5, ("", ""))
        assert "which was put back" in result.stderr

    def test_a_value_longer_than_the_field_is_not_sent(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        use(cli, desk.server.url, PROFILE + "  values: {request_type: {longest: 8}}\n")
        result = cli("apply", "--mode", "fill")
        assert (result.exit_code, desk.count("PUT")) == (5, 0)
        assert "request type holds 8 characters, not 14" in result.stderr

    def test_500_after_the_write_took_effect_is_found_by_reading(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_write = lambda _, held: Response(500)
        cli.ok("apply", "--mode", "fill")
        assert (desk.tickets["1"].writes, len(desk.tickets["1"].notes)) == (1, 1)

    @pytest.mark.parametrize("answer", [Response(500), Response(hang_up=True)], ids=["500", "no answer"])
    def test_no_answer_is_in_doubt_and_not_repeated_until_the_ticket_tells(
        self, cli: CLI, desk: ChangingDesk, answer: Response
    ) -> None:
        fill(cli, desk)
        desk.before_write = lambda _, held: answer
        assert cli("apply", "--mode", "fill").exit_code == 5
        assert states(cli) == {"fill in_doubt": 1}
        again = cli("apply", "--mode", "fill")
        assert (again.exit_code, desk.count("PUT")) == (5, 1)
        assert "1 an earlier change is in doubt" in again.stderr
        held = desk.tickets["1"]
        held.category, held.type = OURS
        cli.ok("apply", "--mode", "fill")
        assert (states(cli), desk.count("PUT"), len(held.notes)) == ({"fill applied": 1}, 1, 1)

    def test_a_note_whose_answer_is_lost_is_found_by_its_marker(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.after_note = lambda _, held: Response(hang_up=True)
        cli.ok("apply", "--mode", "fill")
        assert (states(cli), len(desk.tickets["1"].notes)) == ({"fill applied": 1}, 1)

    def test_without_the_ledger_the_marker_tells_what_was_said(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "suggest")
        (cli.folder / "work" / "applied.db").unlink()
        cli.ok("apply", "--mode", "suggest")
        assert len(desk.tickets["1"].notes) == 1
        assert states(cli) == {"suggest applied": 1}

    def test_a_short_429_is_waited_for(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        desk.before_write = once(lambda held: None, Response(429, headers={"Retry-After": "0"}))
        cli.ok("apply", "--mode", "fill")
        assert (desk.tickets["1"].writes, desk.count("PUT")) == (1, 2)

    def test_a_long_429_ends_the_work_until_the_next_call(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        desk.before_write = once(lambda held: None, Response(429, headers={"Retry-After": "3600"}))
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == 5
        assert "asks to wait 3,600 s" in result.stderr
        assert "1 change left for the next run" in result.stderr
        cli.ok("apply", "--mode", "fill")
        assert [held.writes for held in desk.tickets.values()] == [1, 1]

    def test_credentials_that_are_refused_half_way_end_the_work(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2", "3")
        desk.before_write = lambda _, held: Response(401, {"message": "expired"}) if held is desk.tickets["2"] else None
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == 5
        assert [held.writes for held in desk.tickets.values()] == [1, 0, 0]
        assert "the helpdesk answered 401" in result.stderr

    def test_a_session_that_expires_half_way_is_renewed(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        tokens = iter(range(1, 9))
        login = {"/login": lambda request: Response(body={"token": f"t{next(tokens)}"})}
        desk.server.routes = {**login, **desk.server.routes}
        session = "session: {request: {method: POST, path: /login, json: {key: '${key}'}}, keep: {token: token}}\n"
        headers = 'headers: {X-Token: "${key}"}\n'
        signed_in = session + headers.replace("${key}", "${session.token}")
        use(cli, desk.server.url, PROFILE.replace(headers, signed_in))
        desk.before_write = once(lambda held: None, Response(401))
        cli.ok("apply", "--mode", "fill")
        assert [held.writes for held in desk.tickets.values()] == [1, 1]
        assert desk.asked.count("POST /login") == 2

    def test_a_helpdesk_that_refuses_everything_is_not_asked_for_ever(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, *map(str, range(40)))
        desk.before_write = lambda _, held: Response(403, {"message": "no right to modify"})
        result = cli("apply", "--mode", "fill")
        assert (result.exit_code, desk.count("PUT")) == (5, 25)
        assert "refused 25 changes in a row" in result.stderr
        assert "15 changes left" in result.stderr

    def test_a_helpdesk_that_is_down_is_an_error_of_the_service(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.settings["HELPDESK_API_URL"] = "http://127.0.0.1:1"
        assert cli("apply", "--mode", "fill").exit_code == 4

    def test_a_ticket_that_is_gone_is_refused_alone(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        del desk.tickets["1"]
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == 5
        assert desk.tickets["2"].pair == OURS
        assert "the ticket no longer exists" in result.stderr

    def test_two_hosts_with_the_same_run_write_once(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        cli.ok("apply", "--mode", "fill")
        (cli.folder / "work" / "applied.db").rename(cli.folder / "work" / "of the other host")
        cli.ok("apply", "--mode", "fill")
        assert [(held.writes, len(held.notes)) for held in desk.tickets.values()] == [(1, 1), (1, 1)]

    def test_a_second_process_is_told_that_another_one_writes(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        lock = cli.folder / "work" / "applied.db.lock"
        with acquire(lock, who="ann@host", at=MIDNIGHT, wait=0):
            result = cli("apply", "--mode", "fill")
        assert result.exit_code == 4
        assert "another ticketattr is at work" in result.stderr

    def test_a_helpdesk_that_gives_no_version_is_not_written_blindly(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        use(cli, desk.server.url, PROFILE.replace("version_header: ETag", "version_header: X-None"))
        assert cli("apply", "--mode", "fill").exit_code == 5
        assert desk.count("PUT") == 0


class TestCheck:
    @pytest.fixture(autouse=True)
    def shadow(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.settings["HELPDESK_WRITE"] = "fill"

    def test_it_names_changes_in_doubt_and_unknown_categories(self, cli: CLI, desk: ChangingDesk) -> None:
        (cli.folder / "above.yaml").write_text("Acces: 0.7\n", encoding="utf-8")
        cli.settings["APPLY_ABOVE"] = "above.yaml"
        desk.before_write = lambda _, held: Response(500)
        cli("apply")
        found = cli.ok("check").stdout
        assert "fill: 1 change in the ledger so far" in found
        assert "1 change in doubt: tickets 1" in found
        assert "APPLY_ABOVE names categories that the catalog does not have: acces" in found

    def test_a_profile_that_cannot_write_is_an_error(self, cli: CLI, desk: ChangingDesk) -> None:
        use(cli, desk.server.url, PROFILE.partition("update:")[0])
        result = cli("check")
        assert result.exit_code == 2
        assert "this helpdesk cannot set fields" in result.stdout

    def test_off_is_not_checked(self, cli: CLI) -> None:
        cli.settings["HELPDESK_WRITE"] = "off"
        assert "write-back" not in cli.ok("check").stdout


class TestLedger:
    def test_it_is_private_and_only_added_to(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "fill")
        path = cli.folder / "work" / "applied.db"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"the-secret-key" not in path.read_bytes()
        ledger = sqlite3.connect(path)
        for statement in ("DELETE FROM changes", "UPDATE states SET state = 'kept'", "DELETE FROM states"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                ledger.execute(statement)
        rows = ledger.execute("SELECT state FROM states ORDER BY number").fetchall()
        ledger.close()
        assert rows == [("applying",), ("applied",)]

    def test_a_change_that_a_dead_process_left_is_settled_by_reading(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2", "3")
        desk.before_write = lambda _, held: Response(500)
        cli("apply", "--mode", "fill", "--limit", "3")
        ledger = SQLiteChangeLedger(cli.folder / "work" / "applied.db")
        for change in ledger.changes():
            ledger.record(change, "applying", "", MIDNIGHT)
        desk.before_write = lambda _, held: None
        desk.tickets["1"].category, desk.tickets["1"].type = OURS
        desk.tickets["2"].person_sets(*THEIRS)
        cli.ok("apply", "--mode", "fill")
        assert [held.pair for held in desk.tickets.values()] == [OURS, THEIRS, OURS]
        assert [(held.writes, len(held.notes)) for held in desk.tickets.values()] == [(0, 1), (0, 0), (1, 1)]

    @pytest.mark.parametrize("content", [b"this is not a database, but long enough to look like one" * 20, b""])
    def test_a_damaged_ledger_is_named_and_an_empty_one_is_used(
        self, cli: CLI, desk: ChangingDesk, content: bytes
    ) -> None:
        fill(cli, desk)
        (cli.folder / "work" / "applied.db").write_bytes(content)
        result = cli("apply", "--mode", "fill")
        assert result.exit_code == (3 if content else 0)
        assert ("is damaged" in result.stderr) is bool(content)

    def test_lists_are_tables_json_and_csv_without_formulas(self, cli: CLI, desk: ChangingDesk) -> None:
        prepare(cli, desk, [attributed("=1+1")])
        assert cli.ok("changes", "list").stdout == "nothing was changed\n"
        cli.ok("apply", "--mode", "shadow")
        assert "Password Reset" in cli.ok("changes", "list").stdout
        (row,) = csv.DictReader(io.StringIO(cli.ok("changes", "list", "--format", "csv").stdout))
        assert row["ticket_id"] == "'=1+1"
        (change,) = listed(cli)
        assert (change["run_id"], change["mode"], change["confidence"]) == (RUN, "shadow", 0.95)
        assert cli.ok("changes", "list", "--run", "another", "--format", "json").stdout == "[]\n"

    def test_the_stage_file_holds_all_changes_of_the_run(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        cli("apply", "--mode", "fill", "--limit", "1")
        cli.ok("apply", "--mode", "fill")
        file = json.loads(applied_file(cli).read_text(encoding="utf-8"))
        assert (file["kind"], file["run_id"], len(file["data"]["changes"])) == ("applied", RUN, 2)
        assert [one["reason"] for one in file["data"]["skipped"]] == ["done_before"]
        assert stat.S_IMODE(applied_file(cli).stat().st_mode) == 0o600


class TestUndo:
    def test_it_puts_back_what_nobody_changed_since_and_names_the_rest(self, cli: CLI, desk: ChangingDesk) -> None:
        desk.tickets["3"] = Held("Access", "")
        fill(cli, desk, "1", "2", "3")
        cli.ok("apply", "--mode", "fill")
        desk.tickets["2"].person_sets(*THEIRS)
        result = cli("changes", "undo", RUN)
        assert result.exit_code == 5
        assert [held.pair for held in desk.tickets.values()] == [("Access", ""), ("", ""), THEIRS]
        assert "not put back: ticket 2: somebody changed it since: Hardware / Laptop Repair" in result.stderr
        assert "2 changes put back, 1 not" in result.stderr
        again = cli.ok("apply", "--mode", "fill")
        assert "2 undone before" in again.stderr
        assert desk.tickets["1"].pair == ("", "")
        assert cli("changes", "undo", RUN).exit_code == 5
        assert desk.tickets["1"].writes == 2

    def test_one_change_is_put_back_and_the_others_stay(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        cli.ok("apply", "--mode", "fill")
        assert "1 change put back, 0 not" in cli.ok("changes", "undo", RUN, "--change", "2").stderr
        assert [held.pair for held in desk.tickets.values()] == [OURS, ("", "")]
        missing = cli("changes", "undo", RUN, "--change", "9")
        assert missing.exit_code == 3
        assert f"not in the ledger of changes: change 9 of {RUN}" in missing.stderr

    def test_the_service_puts_back_in_a_process_that_reports_its_end(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, "1", "2")
        cli.ok("apply", "--mode", "fill")
        desk.tickets["2"].person_sets(*THEIRS)
        token = cli.ok("token", "create", "ann", "--scope", "operate", "-q").stdout.strip()
        with served(cli) as (_, url), httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            place = client.post(f"{url}/api/v1/changes/undo", json={"run_id": RUN}).headers["location"]
            run = client.get(f"{url}{place}").json()
            while run["state"] in ("queued", "running"):
                run = client.get(f"{url}{place}").json()
            assert (run["state"], run["exit_code"]) == ("ended", 5)
            assert "not put back: ticket 2" in "".join(client.get(f"{url}/api/v1/logs").json()["lines"])
            newest = client.get(f"{url}/api/v1/changes").json()["items"][0]
            assert (newest["mode"], newest["ticket_id"], newest["state"]) == ("undo", "2", "kept")
        assert [held.pair for held in desk.tickets.values()] == [("", ""), THEIRS]

    def test_a_suggestion_cannot_be_taken_back(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "suggest")
        result = cli("changes", "undo", RUN)
        assert result.exit_code == 5
        assert "a note cannot be taken back" in result.stderr

    def test_a_run_that_changed_nothing_is_named(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        result = cli("changes", "undo", "20260101T000000Z-0000")
        assert result.exit_code == 3
        assert "not in the ledger of changes: all of 20260101T000000Z-0000" in result.stderr

    def test_what_the_helpdesk_refuses_to_empty_is_named(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "fill")
        desk.before_write = lambda _, held: Response(400, {"category": "may not be blank"})
        result = cli("changes", "undo", RUN)
        assert result.exit_code == 5
        assert "may not be blank" in result.stderr


class TestShadow:
    def test_it_tells_how_often_people_chose_the_same(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk, *"123456")
        cli.ok("apply", "--mode", "shadow")
        for name in "123":
            desk.tickets[name].person_sets("access", "password reset")
        desk.tickets["4"].person_sets(*THEIRS)
        del desk.tickets["6"]
        found = json.loads(cli.ok("changes", "list", "--shadow", "--format", "json").stdout)
        assert [one["verdict"] for one in found["tickets"]] == ["agrees"] * 3 + ["differs", "undecided", "gone"]
        overall, access = found["agreement"]
        assert (overall["agreed"], overall["decided"], access["category"]) == (3, 4, "Access")
        assert overall["low"] < 0.75 < overall["high"]
        assert "75.0 % (3 of 4; 95 % interval" in cli.ok("changes", "list", "--shadow").stdout
        assert cli.ok("changes", "list", "--shadow", "--format", "csv").stdout.count("agrees") == 3

    def test_what_this_program_set_is_no_agreement(self, cli: CLI, desk: ChangingDesk) -> None:
        fill(cli, desk)
        cli.ok("apply", "--mode", "shadow")
        cli.ok("apply", "--mode", "fill")
        found = json.loads(cli.ok("changes", "list", "--shadow", "--format", "json").stdout)
        assert found["tickets"][0]["verdict"] == "ours"
        assert found["agreement"][0]["agreement"] is None


class TestRun:
    @pytest.fixture(autouse=True)
    def queue(self, cli: CLI, desk: ChangingDesk) -> None:
        prepare(cli, desk, [attributed("1"), attributed("2")], "20261101T000000Z-0001")
        desk.tickets["1"].notes.append("hello")
        cli.settings |= {"HELPDESK_WRITE": "fill", "APPLY_ABOVE": "0"}
        shown = desk.shown

        def titled(id: str) -> dict[str, object]:
            return {**shown(id), "title": "I forgot my password, the account is locked"}

        desk.shown = titled  # type: ignore[method-assign]

    def rows(self, cli: CLI) -> list[dict[str, str]]:
        run_id = max(path.name for path in (cli.folder / "work").iterdir() if path.is_dir())
        attributions = cli.folder / "work" / run_id / "attributions.json"
        text = cli.ok("report", "-i", str(attributions), "--format", "csv", "-o", "-").stdout
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    def test_a_run_writes_before_it_reports_and_the_next_one_skips_what_is_done(
        self, cli: CLI, desk: ChangingDesk
    ) -> None:
        result = cli.ok("run")
        assert "fill: 2 changes: 2 applied" in result.stderr
        assert [held.writes for held in desk.tickets.values()] == [1, 1]
        assert [row["written"] for row in self.rows(cli)] == ["Access / Password Reset"] * 2
        cli.ok("run")
        assert [held.writes for held in desk.tickets.values()] == [1, 1]
        assert [row["source"] for row in self.rows(cli)] == ["kept", "kept"]

    def test_a_write_back_that_fails_never_holds_up_the_report(self, cli: CLI, desk: ChangingDesk) -> None:
        desk.before_write = lambda _, held: Response(403, {"message": "no right"})
        metrics = cli.folder / "metrics.prom"
        cli.settings["METRICS_TEXTFILE"] = str(metrics)
        result = cli("run")
        assert result.exit_code == 5
        assert (len(cli.reports), len(cli.mails)) == (1, 1)
        assert "not written: refused: 403" in result.stderr
        assert all("refused: 403" in row["not_written"] for row in self.rows(cli))
        text = metrics.read_text(encoding="utf-8")
        assert 'ticketattr_changes_total{mode="fill",state="refused"} 2' in text
        assert 'ticketattr_last_run_changes{mode="fill",state="refused"} 2' in text
        history = json.loads((cli.folder / "work" / "run-history.json").read_text(encoding="utf-8"))
        assert history["data"]["open_incidents"]["run"]["kind"] == "refused"
        desk.before_write = lambda _, held: None
        cli.ok("run")
        assert [held.writes for held in desk.tickets.values()] == [1, 1]

    def test_a_dry_run_writes_nothing_into_the_helpdesk(self, cli: CLI, desk: ChangingDesk) -> None:
        cli.ok("run", "--dry-run")
        assert desk.count("PUT") == desk.count("POST") == 0

    def test_a_ledger_that_is_in_use_does_not_hold_up_the_report(self, cli: CLI, desk: ChangingDesk) -> None:
        with acquire(cli.folder / "work" / "applied.db.lock", who="ann", at=MIDNIGHT, wait=0):
            result = cli("run")
        assert (result.exit_code, len(cli.mails)) == (5, 1)
        assert "another ticketattr is at work" in result.stderr


def once(change: Callable[[Held], object], answer: Response | None = None) -> Callable[[str, Held], Response | None]:
    """A hook that acts the first time."""
    is_due = True

    def hook(id: str, held: Held) -> Response | None:
        nonlocal is_due
        if not is_due:
            return None
        is_due = False
        change(held)
        return answer

    return hook
