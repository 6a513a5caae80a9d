"""What is known about models by their names, and what is said when a model refuses a request."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from ticketattr.infrastructure.classifiers.llm.known_models import answers_for, ignores, retirement_of, takes
from ticketattr.infrastructure.classifiers.llm.parameters import Parameter
from ticketattr.infrastructure.classifiers.llm.prices import read_prices
from ticketattr.infrastructure.classifiers.llm.refusals import refused_parameters, says_model_is_unknown

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("asked", "answered", "is_it"),
    [
        ("gemini-2.5-pro", "gemini-2.5-pro", True),
        ("gemini-2.5-pro", "models/gemini-2.5-pro", True),
        ("gemini-2.5-pro", "gemini-2.5-pro-preview-06-05", True),
        ("gemini-2.5-flash", "gemini-2.5-flash-preview-09-2025", True),
        ("gemini-2.5-flash", "gemini-2.5-flash-001", True),
        ("gpt-5.1", "gpt-5.1-2025-11-13", True),
        ("llama3.2", "llama3.2:latest", True),
        ("gemini-2.5-pro", "gemini-3.8-flash", False),
        ("gemini-2.5-flash", "gemini-2.5-flash-lite", False),
        ("gemini-2.5-flash-001", "gemini-2.5-flash-002", False),
        ("gemini-flash-latest", "gemini-3.5-flash", True),
        ("gemini-flash-latest", "gemini-3.8-flash-preview-09-2026", True),
        ("gemini-flash-latest", "gemini-3.5-flash-lite", False),
        ("gemini-flash-lite-latest", "gemini-3.5-flash-lite", True),
        ("gemini-pro-latest", "gemini-3.1-pro-preview", True),
        ("gemini-pro-latest", "gemini-3.8-flash", False),
    ],
)
def test_a_dated_version_and_the_target_of_an_alias_are_the_model_that_was_asked(
    asked: str, answered: str, is_it: bool
) -> None:
    assert answers_for(asked, answered) is is_it


@pytest.mark.parametrize(
    ("model", "budget", "level"),
    [
        ("gemini-2.5-pro", True, False),
        ("gemini-3.8-flash", False, True),
        ("gemini-flash-latest", False, True),
        ("another", True, True),
    ],
)
def test_a_model_takes_the_thinking_parameter_of_its_generation(model: str, budget: bool, level: bool) -> None:
    assert (takes(model, "thinking_budget"), takes(model, "thinking_level")) == (budget, level)


def test_newer_models_ignore_sampling() -> None:
    assert [
        ignores(model, "temperature")
        for model in (
            "gemini-2.5-pro",
            "gemini-3.5-flash",
            "gemini-3.5-flash-lite",
            "gemini-3.6-flash",
            "gemini-3.10-x",
        )
    ] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("Unable to submit request: temperature is not supported by this model.", {"temperature"}),
        ("Invalid value at 'generation_config.top_p'", {"top_p"}),
        ("topK is deprecated", {"top_k"}),
        ("Sampling parameters are no longer supported.", {"temperature", "top_p", "top_k"}),
        ("Budget 0 is invalid. This model only works in thinking mode.", {"thinking_budget", "thinking_level"}),
        (
            "Unknown name \"thinkingBudget\" at 'generation_config.thinking_config'",
            {"thinking_budget", "thinking_level"},
        ),
        ("Thinking level MINIMAL is not supported for this model.", {"thinking_level"}),
        ("The model stopped, people were invited on top. Request contains an invalid argument.", set()),
    ],
)
def test_a_refusal_names_the_parameters_it_is_about(words: str, named: set[str]) -> None:
    assert refused_parameters(words, get_args(Parameter)) == named


@pytest.mark.parametrize(
    ("words", "is_unknown"),
    [
        ("models/gemini-2.5-pro is not found for API version v1beta", True),
        ("gemini-2.5-pro is no longer available to new users", True),
        ("The model `gemini-2.5-pro` does not exist or you do not have access to it.", True),
        ("User location is not supported for the API use.", False),
        ("JSON mode is not enabled for models/gemini-2.5-pro", False),
    ],
)
def test_a_refusal_says_that_the_key_may_not_use_the_model(words: str, is_unknown: bool) -> None:
    assert says_model_is_unknown(words, "gemini-2.5-pro") is is_unknown


def test_a_dated_version_has_the_price_of_its_model_and_an_introductory_price_ends() -> None:
    prices = read_prices(None, TODAY)
    assert prices.of("gemini-2.5-flash-preview-09-2025") == prices.of("gemini-2.5-flash")
    assert prices.of("gemini-3.8-flash")
    assert read_prices(None, date(2027, 1, 1)).of("gemini-3.8-flash") is None


@pytest.mark.parametrize("alias", ["gemini-flash-latest", "gemini-flash-lite-latest", "gemini-pro-latest"])
def test_no_model_that_an_alias_may_name_is_dearer(alias: str) -> None:
    prices = read_prices(None, TODAY)
    dearest = prices.of(alias)
    assert dearest
    for model, price in prices.prices.items():
        if answers_for(alias, model):
            assert (price.input, price.output) <= (dearest.input, dearest.output)


def test_a_retired_model_is_answered_by_another_that_is_known() -> None:
    retirement = retirement_of("gemini-2.5-pro")
    assert retirement
    assert (retirement.day, retirement.answered_by) == (date(2026, 12, 1), "gemini-3.8-flash")
