"""A classifier held against gold tickets."""

from __future__ import annotations

import pytest

from ticketattr.application.evaluate import calibrate, judge_classifier
from ticketattr.domain.calibration import fit_calibration
from ticketattr.domain.catalog import RequestType
from ticketattr.domain.evaluation import Judged
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Ticket
from ticketattr.errors import InputError
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache

from ..fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, ScriptedClassifier


def test_each_answer_stands_beside_the_gold_that_it_was_given_without() -> None:
    answers = {"locked out": PASSWORD, "cracked": GENERAL}
    classifier = ScriptedClassifier(lambda ticket: answers.get(ticket.short_description), batch_size=2)
    gold = [
        GoldTicket(Ticket("1", "locked out"), PASSWORD),
        GoldTicket(Ticket("2", "cracked"), LAPTOP, also_ok=(GENERAL,)),
        GoldTicket(Ticket("3", "lunch?"), GENERAL),
    ]
    told: list[tuple[int, int]] = []
    judged = judge_classifier(gold, CATALOG, classifier, NoAnswerCache(), lambda done, of: told.append((done, of)))
    assert [case.gold for case in judged] == gold
    assert [case.answer for case in judged] == [PASSWORD, GENERAL, None]
    assert [(case.is_right, case.is_acceptable) for case in judged] == [(True, True), (False, True), (False, False)]
    assert [ticket for batch in classifier.shown for ticket in batch] == [case.ticket for case in gold]
    assert told[-1] == (2, 2)


def answered(answer: RequestType | None, confidence: float | None) -> Judged:
    return Judged(GoldTicket(Ticket("1", "locked out"), PASSWORD), answer, confidence)


def test_a_curve_is_fitted_to_those_answers_that_say_how_sure_they_are() -> None:
    judged = [answered(PASSWORD, 0.9), answered(LAPTOP, None), answered(LAPTOP, 0.4), answered(None, 0.2)]
    assert calibrate(judged) == (fit_calibration([0.9, 0.4, 0.2], [True, False, False]), 3)


def test_without_any_confidence_there_is_nothing_to_calibrate() -> None:
    with pytest.raises(InputError, match="does not say how sure it is") as caught:
        calibrate([answered(PASSWORD, None)])
    assert caught.value.hint == "Leave --save-calibration out."


def test_those_that_are_given_as_examples_are_shown_as_such() -> None:
    classifier = ScriptedClassifier(lambda ticket: PASSWORD)
    gold = [GoldTicket(Ticket("1", "locked out again"), PASSWORD)]
    shown = [GoldTicket(Ticket("9", "locked out"), LAPTOP)]
    judge_classifier(gold, CATALOG, classifier, NoAnswerCache(), lambda done, of: None, shown)
    assert [example.entry for example in classifier.examples[0]] == [LAPTOP]


def test_nobody_is_measured_on_its_examples() -> None:
    gold = [GoldTicket(Ticket(id_, text), PASSWORD) for id_, text in (("1", "locked out"), ("2", "forgotten"))]
    classifier = ScriptedClassifier(lambda ticket: PASSWORD)
    shown = [GoldTicket(Ticket("9", "locked out"), PASSWORD)]
    with pytest.raises(InputError, match="1 gold tickets are among the examples") as caught:
        judge_classifier(gold, CATALOG, classifier, NoAnswerCache(), lambda done, of: None, shown)
    assert caught.value.hint == "Give examples that are not in the gold set."
    assert classifier.shown == []
