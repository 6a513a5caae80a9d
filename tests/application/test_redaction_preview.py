"""What redaction would hide in some tickets is counted, and shown without being shown."""

from __future__ import annotations

from ticketattr.application.redaction_preview import KindFound, RedactionPreview, Sample, preview_redaction
from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.redaction.rules import build_redactor
from ticketattr.infrastructure.redaction.terms_file import Terms


def preview(*texts: str) -> RedactionPreview:
    tickets = (Ticket(f"T-{number}", text) for number, text in enumerate(texts, start=1))
    return preview_redaction(tickets, build_redactor(Terms()))


def test_each_kind_is_counted_by_places_and_tickets_with_the_first_three_places() -> None:
    texts = [f"mail user{number}@example.com" for number in range(1, 4)]
    found = preview("nothing here", "both ann@example.com, bob@example.com", *texts, "password: hunter2secret")
    secret, email = found.kinds
    assert (found.tickets, found.private, found.found) == (6, 5, 6)
    assert (secret.kind, secret.found, secret.tickets) == ("SECRET", 1, 1)
    assert (email.kind, email.found, email.tickets) == ("EMAIL", 5, 4)
    assert email.samples == (
        Sample("T-2", "both a**@e******.c**, [EMAIL_2]"),
        Sample("T-2", "both [EMAIL_1], b**@e******.c**"),
        Sample("T-3", "mail u****@e******.c**"),
    )
    assert secret.samples == (Sample("T-6", "password: ********"),)


def test_of_the_text_around_20_characters_are_shown_on_each_side_in_one_line() -> None:
    (email,) = preview("first words\nabcdefghij abcdefgh ann@example.com\tabcdefghij abcdefghij last words").kinds
    (sample,) = email.samples
    assert sample.text == "abcdefghij abcdefgh a**@e******.c** abcdefghij abcdefgh"


def test_where_nothing_is_private_nothing_is_shown() -> None:
    assert preview() == RedactionPreview(0, 0, ())
    assert preview("The printer is broken.", "VPN") == RedactionPreview(2, 0, ())
    assert preview().found == 0


def test_the_long_description_is_searched_too() -> None:
    found = preview_redaction([Ticket("T-1", "Help", "I am ann@example.com")], build_redactor(Terms()))
    assert found.kinds == (KindFound("EMAIL", 1, 1, (Sample("T-1", "I am a**@e******.c**"),)),)
