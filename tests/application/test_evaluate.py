"""A classifier held against gold tickets."""

from __future__ import annotations

from ticketattr.application.evaluate import judge_classifier
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Ticket
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
