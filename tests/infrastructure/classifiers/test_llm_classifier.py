"""The classifier over any large language model, here one in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import anyio
import pytest

from ticketattr.application.batches import ask_in_batches
from ticketattr.application.ports import BatchFailed, ClassifierStopped
from ticketattr.domain.examples import NO_EXAMPLES
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.domain.usage import Price, Usage
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.llm.chat_model import (
    ChatAnswer,
    ChatModelError,
    ChatRequest,
    ContentBlocked,
    Format,
    InvalidRequest,
    QuotaExhausted,
    RateLimited,
    RefusedParameters,
    ServerFailed,
    Unanswered,
    UnknownModel,
    UnusableAnswer,
)
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier
from ticketattr.infrastructure.classifiers.llm.parameters import Parameter, ParameterValues
from ticketattr.infrastructure.classifiers.llm.prices import PriceList
from ticketattr.infrastructure.network.retries import Transient
from ticketattr.infrastructure.options import LLMOptions

from ...fakes import CATALOG, PASSWORD, FakeChatModel

pytestmark = pytest.mark.usefixtures("no_backoff")

TICKET = Ticket("T-1", "Forgot my password")
USAGE = Usage(tokens_in=10, tokens_out=5)
ITEM = {"id": 1, "request_category": "Access", "request_type": "Password Reset", "confidence": 0.9}
GOOD = ChatAnswer(json.dumps({"items": [ITEM]}), USAGE, "fake-1")


def classifier(*replies: ChatAnswer | Exception, max_retries: int = 0) -> tuple[LLMClassifier, FakeChatModel]:
    """The last reply stays."""
    left = list(replies)
    chat_model = FakeChatModel(lambda request: left.pop(0) if len(left) > 1 else left[0])
    return LLMClassifier(chat_model, LLMOptions(("fake-1",), max_retries=max_retries)), chat_model


def choose(asked: LLMClassifier) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        async with asked:
            return await asked.choose([TICKET], CATALOG)

    return anyio.run(ask)


def test_an_answer_is_an_outcome_and_is_billed() -> None:
    llm, _ = classifier(GOOD)
    assert choose(llm) == [Attribution(PASSWORD, source="model", confidence=0.9)]
    assert (llm.bill.usage.calls, llm.bill.usage.tokens_in, llm.bill.model) == (1, 10, "fake-1")


@pytest.mark.parametrize("passing", [Transient("lost"), ServerFailed("500"), RateLimited("429", wait=0.0)], ids=str)
def test_a_passing_failure_is_repeated(passing: Exception) -> None:
    llm, chat_model = classifier(passing, GOOD, max_retries=1)
    assert len(choose(llm)) == 1
    assert len(chat_model.asked) == 2
    assert llm.bill.usage.retries == 1


@pytest.mark.parametrize(
    ("error", "reason", "lies_in_content", "is_transient"),
    [
        (Transient("lost"), "service_error", False, True),
        (ServerFailed("500"), "service_error", True, True),
        (RateLimited("429", wait=0.0), "service_error", False, True),
        (ChatModelError("413"), "service_error", True, False),
        (ChatModelError("302", lies_in_content=False), "service_error", False, False),
        (InvalidRequest("400"), "service_error", True, False),
        (UnusableAnswer("cut off"), "bad_answer", True, False),
        (ContentBlocked("blocked"), "blocked", True, False),
    ],
    ids=str,
)
def test_a_failure_that_stays_fails_the_batch_and_says_why(
    error: Exception, reason: str, lies_in_content: bool, is_transient: bool
) -> None:
    llm, _ = classifier(error)
    with pytest.raises(BatchFailed, match=str(error)) as failed:
        choose(llm)
    assert (failed.value.reason, failed.value.lies_in_content) == (reason, lies_in_content)
    assert failed.value.is_transient == is_transient


def test_a_used_up_quota_stops_the_classifier() -> None:
    llm, _ = classifier(QuotaExhausted("daily quota"))
    with pytest.raises(ClassifierStopped, match="daily quota") as stopped:
        choose(llm)
    assert stopped.value.reason == "quota"


def test_an_unknown_model_is_a_setting_and_others_are_named() -> None:
    llm, chat_model = classifier(UnknownModel("404"))
    chat_model.models = ("fake-2", "fake-3")
    with pytest.raises(SettingsError, match="Fake does not have the model fake-1") as refused:
        choose(llm)
    assert "LLM_MODEL_NAME" in refused.value.hint
    assert "such as fake-2, fake-3" in refused.value.hint


def test_an_answer_that_cannot_be_used_is_billed_too() -> None:
    llm, _ = classifier(UnusableAnswer("cut off", usage=USAGE))
    with pytest.raises(BatchFailed):
        choose(llm)
    assert (llm.bill.usage.tokens_in, llm.bill.usage.tokens_out) == (10, 5)


def test_a_schema_that_the_service_rejects_is_replaced_by_an_open_one() -> None:
    def reply(request: ChatRequest) -> ChatAnswer | Exception:
        return InvalidRequest("too many names") if "enum" in json.dumps(request.schema) else GOOD

    chat_model = FakeChatModel(reply)
    assert len(choose(LLMClassifier(chat_model, LLMOptions(("fake-1",), max_retries=0)))) == 1
    assert len(chat_model.asked) == 2


@pytest.mark.parametrize(
    "change",
    [{"models": ("fake-2",)}, {"models": ("fake-1", "fake-2")}, {"parameters": {"temperature": 0.5}}],
    ids=["model", "models", "parameters"],
)
def test_the_fingerprint_depends_on_models_and_parameters(change: dict[str, Any]) -> None:
    def fingerprint(**options: Any) -> str:
        return LLMClassifier(FakeChatModel(lambda request: GOOD), LLMOptions(**options)).fingerprint(CATALOG)

    assert fingerprint(**{"models": ("fake-1",), **change}) != fingerprint(models=("fake-1",))


def test_the_fingerprint_depends_on_the_provider() -> None:
    def fingerprint(provider: str) -> str:
        chat_model = FakeChatModel(lambda request: GOOD, provider=provider)
        return LLMClassifier(chat_model, LLMOptions(("fake-1",))).fingerprint(CATALOG)

    assert fingerprint("One") != fingerprint("Other")


def asked_of(chat_model: FakeChatModel) -> list[str]:
    return [request.model for request in chat_model.asked]


def test_the_first_model_that_the_key_may_use_is_asked_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    def reply(request: ChatRequest) -> ChatAnswer | Exception:
        return replace(GOOD, model=request.model) if request.model == "fake-3" else UnknownModel("404")

    chat_model = FakeChatModel(reply)
    llm = LLMClassifier(chat_model, LLMOptions(("fake-1", "fake-2", "fake-3"), max_retries=0))
    assert [outcome.model for outcome in [*choose(llm), *choose(llm)]] == ["fake-3", "fake-3"]
    assert asked_of(chat_model) == ["fake-1", "fake-2", "fake-3", "fake-3"]
    assert llm.bill.model == "fake-3"
    assert llm.bill.notes == (
        "Fake does not have the model fake-1: fake-2 is asked in its place",
        "Fake does not have the model fake-2: fake-3 is asked in its place",
    )
    assert [record.getMessage() for record in caplog.records] == list(llm.bill.notes)


def test_when_the_key_may_use_no_model_of_the_list_all_of_them_are_named() -> None:
    llm = LLMClassifier(FakeChatModel(lambda request: UnknownModel("404")), LLMOptions(("fake-1", "fake-2")))
    with pytest.raises(SettingsError, match="Fake does not have the model fake-1 nor fake-2"):
        choose(llm)


def test_a_refused_parameter_is_dropped_for_the_run_and_the_call_repeated(caplog: pytest.LogCaptureFixture) -> None:
    def reply(request: ChatRequest) -> ChatAnswer | Exception:
        refused = [name for name in request.parameters if name != "top_k"]
        return RefusedParameters("400", refused[:1]) if refused else GOOD

    chat_model = FakeChatModel(reply)
    parameters: ParameterValues = {"temperature": 0.0, "top_k": 3, "thinking_level": "low"}
    llm = LLMClassifier(chat_model, LLMOptions(("fake-1",), parameters, max_retries=0))
    assert len([*choose(llm), *choose(llm)]) == 2
    assert [sorted(request.parameters) for request in chat_model.asked] == [
        ["temperature", "thinking_level", "top_k"],
        ["thinking_level", "top_k"],
        ["top_k"],
        ["top_k"],
    ]
    assert llm.bill.notes == (
        "Fake refuses LLM_TEMPERATURE for fake-1: the run goes on without it",
        "Fake refuses LLM_THINKING_LEVEL for fake-1: the run goes on without it",
    )
    assert [record.getMessage() for record in caplog.records] == list(llm.bill.notes)


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("gemini-2.5-pro", {"thinking_budget": 0}),
        ("gemini-3.8-flash", {"thinking_level": "low"}),
        ("another", {"thinking_level": "low"}),
    ],
)
def test_of_both_thinking_parameters_the_one_that_the_model_takes_is_sent(model: str, sent: dict[str, Any]) -> None:
    chat_model = FakeChatModel(lambda request: replace(GOOD, model=model))
    parameters: ParameterValues = {"thinking_budget": 0, "thinking_level": "low"}
    llm = LLMClassifier(chat_model, LLMOptions((model,), parameters))
    choose(llm)
    assert chat_model.asked[0].parameters == sent
    (note,) = llm.bill.notes
    assert "is not sent" in note


def test_another_model_than_the_one_asked_is_a_warning_that_names_both(caplog: pytest.LogCaptureFixture) -> None:
    answer = replace(GOOD, model="gemini-3.8-flash")
    llm = LLMClassifier(FakeChatModel(lambda request: answer), LLMOptions(("gemini-2.5-pro",), {"temperature": 0.0}))
    assert [outcome.model for outcome in choose(llm)] == ["gemini-3.8-flash"]
    assert llm.bill.notes[0].startswith("gemini-3.8-flash answers in the place of gemini-2.5-pro")
    assert llm.bill.notes[1] == "gemini-3.8-flash ignores LLM_TEMPERATURE"
    assert caplog.text.count("in the place of") == 1


def test_the_bill_has_the_price_of_the_model_that_answered() -> None:
    prices = PriceList({"fake-1": Price(1.0, 1.0, 1.0), "other": Price(2e6, 0.0, 2e6)})
    llm = LLMClassifier(
        FakeChatModel(lambda request: replace(GOOD, model="other")), LLMOptions(("fake-1",), prices=prices)
    )
    choose(llm)
    assert (llm.bill.model, llm.bill.cost) == ("other", 20.0)


# The cost limit


DEAR = PriceList({"fake-1": Price(1.0, 10.0, 1.0)})


class ThinkingModel:
    """A model that thinks a lot, writes no more than it may, and counts what its answers cost, in US dollars."""

    def __init__(self, thinking: int, *, lost: int = 0, keeps_to_limit: bool = True) -> None:
        self._keeps_to_limit = keeps_to_limit
        self.cost = 0.0
        self.most_at_once = 0
        self._in_flight = 0
        self._thinking = thinking
        self._lost = lost

    provider = "Fake"
    parameters: frozenset[Parameter] = frozenset()
    formats: tuple[Format, ...] = ("schema",)

    async def __aenter__(self) -> ThinkingModel:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        self._in_flight += 1
        self.most_at_once = max(self.most_at_once, self._in_flight)
        tickets = json.loads(request.user.split("\n")[1])
        for _ in range(50):
            await anyio.sleep(0)
        self._in_flight -= 1
        assert request.max_tokens
        wanted = (self._thinking + 60) * len(tickets)
        written = min(wanted, request.max_tokens) if self._keeps_to_limit else wanted
        usage = Usage(tokens_in=request.size // 4, tokens_out=60 * len(tickets), tokens_thinking=written)
        usage = replace(usage, tokens_thinking=written - usage.tokens_out)
        self.cost += Price(1.0, 10.0, 1.0).of(usage)
        if self._lost:
            self._lost -= 1
            raise Unanswered("lost")
        if written < wanted:
            raise UnusableAnswer("cut off", usage=usage)
        items = [{**ITEM, "id": ticket["id"]} for ticket in tickets]
        return ChatAnswer(json.dumps({"items": items}), usage, "fake-1")

    async def list_models(self) -> list[str]:
        return []


def run_within(limit: float, model: ThinkingModel, tickets: int = 600, **options: Any) -> list[Outcome]:
    llm = LLMClassifier(model, LLMOptions(("fake-1",), max_cost=limit, prices=DEAR, **options))
    queue = [Ticket(str(number), f"Ticket number {number}") for number in range(tickets)]
    outcomes = anyio.run(
        ask_in_batches, queue, CATALOG, llm, lambda answers: None, lambda done, planned: None, NO_EXAMPLES
    )
    assert (llm.bill.cost or 0.0) <= model.cost + 1e-9
    return outcomes


@pytest.mark.parametrize("concurrency", [1, 8, 100])
@pytest.mark.parametrize("thinking", [0, 1_000, 4_000])
def test_the_cost_limit_holds_however_much_the_model_thinks(concurrency: int, thinking: int) -> None:
    model = ThinkingModel(thinking)
    outcomes = run_within(0.5, model, concurrency=concurrency)
    assert model.cost <= 0.5
    answered = sum(isinstance(outcome, Attribution) for outcome in outcomes)
    assert answered >= {0: 600, 1_000: 30, 4_000: 0}[thinking]


@pytest.mark.parametrize("thinking", [200, 1_000])
@pytest.mark.parametrize("concurrency", [8, 100])
def test_a_service_that_knows_no_limit_of_an_answer_is_stopped_by_what_its_answers_took(
    thinking: int, concurrency: int
) -> None:
    model = ThinkingModel(thinking, keeps_to_limit=False)
    outcomes = run_within(0.5, model, concurrency=concurrency)
    assert model.cost <= 0.5
    assert any(isinstance(outcome, Attribution) for outcome in outcomes)


def test_many_calls_are_in_flight_when_the_limit_allows_them_all() -> None:
    model = ThinkingModel(100)
    run_within(50.0, model)
    assert model.most_at_once == 8


def test_what_a_lost_answer_may_have_cost_counts() -> None:
    model = ThinkingModel(1_000, lost=3)
    run_within(0.5, model, max_retries=3)
    assert model.cost <= 0.5


def test_a_limit_that_is_too_small_for_any_call_asks_nothing() -> None:
    model = ThinkingModel(0)
    outcomes = run_within(0.001, model)
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Unattributed)} == {"cost_limit"}
    assert model.cost == 0.0


def test_the_answer_of_a_model_without_a_known_price_ends_the_calls_under_a_limit() -> None:
    llm = LLMClassifier(
        FakeChatModel(lambda request: replace(GOOD, model="other")),
        LLMOptions(("fake-1",), max_cost=1.0, prices=DEAR),
    )
    choose(llm)
    with pytest.raises(ClassifierStopped, match="the price of the model that answers is not known"):
        choose(llm)
