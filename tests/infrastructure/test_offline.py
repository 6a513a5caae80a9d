"""The embedded classifier."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.offline import OfflineClassifier

from ..fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, STOLEN

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
    assert chosen("Locked out, forgot the password").evidence == "password, locked"


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
def test_what_is_like_nothing_goes_to_the_general_type_without_confidence(text: str) -> None:
    attribution = chosen(text)
    assert (attribution.entry, attribution.confidence) == (GENERAL, 0.0)


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
