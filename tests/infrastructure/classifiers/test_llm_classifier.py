"""The classifier over any large language model, here one in memory."""

from __future__ import annotations

import json
from collections.abc import Callable

import anyio
import pytest

from ticketattr.application.ports import BatchFailed, ClassifierStopped
from ticketattr.domain.ticket import Attribution, Outcome, Ticket
from ticketattr.domain.usage import Usage
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.llm.chat_model import (
    ChatAnswer,
    ChatModelError,
    ContentBlocked,
    InvalidRequest,
    JSONSchema,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
    UnknownModel,
    UnusableAnswer,
)
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier
from ticketattr.infrastructure.options import LLMOptions
from ticketattr.infrastructure.retries import Transient

from ...fakes import CATALOG, PASSWORD, FakeChatModel

pytestmark = pytest.mark.usefixtures("no_backoff")

TICKET = Ticket("T-1", "Forgot my password")
USAGE = Usage(tokens_in=10, tokens_out=5)
ITEM = {"id": 1, "request_category": "Access", "request_type": "Password Reset", "confidence": 0.9}
GOOD = ChatAnswer(json.dumps({"items": [ITEM]}), USAGE, "fake-1")


def classifier(*replies: ChatAnswer | Exception, max_retries: int = 0) -> tuple[LLMClassifier, FakeChatModel]:
    """The last reply stays."""
    left = list(replies)
    chat_model = FakeChatModel(lambda system, user, schema: left.pop(0) if len(left) > 1 else left[0])
    return LLMClassifier(chat_model, LLMOptions(max_retries=max_retries)), chat_model


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
    def reply(system: str, user: str, schema: JSONSchema) -> ChatAnswer | Exception:
        return InvalidRequest("too many names") if "enum" in json.dumps(schema) else GOOD

    chat_model = FakeChatModel(reply)
    assert len(choose(LLMClassifier(chat_model, LLMOptions(max_retries=0)))) == 1
    assert len(chat_model.asked) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda chat_model: setattr(chat_model, "provider", "Other"),
        lambda chat_model: setattr(chat_model, "parameters", ("fake-1", 0.5)),
    ],
    ids=["provider", "parameters"],
)
def test_the_fingerprint_depends_on_provider_and_parameters(change: Callable[[FakeChatModel], None]) -> None:
    llm, chat_model = classifier(GOOD)
    before = llm.fingerprint(CATALOG)
    change(chat_model)
    assert llm.fingerprint(CATALOG) != before
