"""Which model is asked, with which parameters, and what a run found out about both."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .known_models import answers_for, ignores, takes
from .parameters import Parameter, ParameterValues, setting_of

if TYPE_CHECKING:
    from .chat_model import ChatModel

log = logging.getLogger(__name__)


class ModelChoice:
    """The first of `models` that the key may use, and those of the parameters `values` that it takes.

    What differs from what was asked for is logged once, and kept in `notes` as sentences.
    """

    def __init__(self, chat_model: ChatModel, models: Sequence[str], values: ParameterValues) -> None:
        self.notes: list[str] = []
        self._provider = chat_model.provider
        self._known = chat_model.parameters
        self._left = list(models)
        self._values = values
        self._refused: set[tuple[str, Parameter]] = set()

    @property
    def model(self) -> str:
        """The model that the next call asks."""
        return self._left[0]

    def parameters(self) -> ParameterValues:
        """Returns the parameters for the next call: those that the model takes."""
        model = self.model
        accepted = {name: value for name, value in self._values.items() if (model, name) not in self._refused}
        not_sent = _not_sent(model, accepted, self._known)
        for note in not_sent.values():
            self._note(note)
        return {name: value for name, value in accepted.items() if name not in not_sent}

    def drop(self, model: str, names: Collection[Parameter]) -> None:
        """Send these parameters no more, because `model` refused them."""
        for name in sorted(names):
            self._refused.add((model, name))
            self._note(f"{self._provider} refuses {setting_of(name)} for {model}: the run goes on without it")

    def fall_back(self, model: str) -> bool:
        """Go on to the next model, because the key may not use `model`. Returns False if there is none."""
        if model != self.model:
            return True  # another call found it out already
        if len(self._left) == 1:
            return False
        self._left.pop(0)
        self._note(f"{self._provider} does not have the model {model}: {self.model} is asked in its place")
        return True

    def answered(self, asked: str, answered: str, sent: Collection[Parameter]) -> None:
        """Compare the model that answered with the one that was asked, and with the parameters that it was sent."""
        if not answers_for(asked, answered):
            self._note(f"{answered} answers in the place of {asked}: set LLM_MODEL_NAME to the model that you want")
        for name in sent:
            if ignores(answered, name):
                self._note(_ignored(answered, name))

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
            log.warning("%s", sentence)


def parameter_notes(model: str, values: ParameterValues, known: Collection[Parameter]) -> list[str]:
    """Returns a sentence for each of the parameters `values` that is known to have no effect on `model`.

    `known` are the parameters that the protocol of the provider has.
    """
    not_sent = _not_sent(model, values, known)
    ignored = [_ignored(model, name) for name in values if name not in not_sent and ignores(model, name)]
    return [*not_sent.values(), *ignored]


def _not_sent(model: str, values: ParameterValues, known: Collection[Parameter]) -> dict[Parameter, str]:
    """Returns the parameters that are not sent to `model`, each with the reason as a sentence."""
    reasons: dict[Parameter, str] = {
        name: f"{setting_of(name)} is not sent, because {model} does not take it"
        for name in values
        if name not in known or not takes(model, name)
    }
    if {"thinking_budget", "thinking_level"} <= values.keys() - reasons.keys():
        beside = f"{setting_of('thinking_budget')} is not sent beside {setting_of('thinking_level')} to {model}"
        reasons["thinking_budget"] = f"{beside}: a model takes one of them"
    return reasons


def _ignored(model: str, name: Parameter) -> str:
    return f"{model} ignores {setting_of(name)}"
