"""What somebody wrote in a reply, without what they quote."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.infrastructure.helpdesk.quoted_replies import without_quotation

OWN = "It is the second floor.\nThe printer shows E07."

REPLIES = {
    "Gmail, English": (
        f"{OWN}\n\nOn Mon, Nov 23, 2026 at 9:12 AM Service Desk <desk@example.com> wrote:\n> Which floor?"
    ),
    "Gmail, German": (
        f"{OWN}\n\nAm Mo., 23. Nov. 2026 um 09:12 Uhr schrieb Service Desk <desk@example.com>:\n\n> Welche?"
    ),
    "Gmail, folded": (
        f"{OWN}\n\nOn Mon, Nov 23, 2026 at 9:12 AM Service Desk\n<desk@example.com> wrote:\n\n> Which floor?"
    ),
    "French": f"{OWN}\n\nLe lun. 23 nov. 2026 à 09:12, Service <desk@example.com> a écrit :\n\n> Quel étage ?",
    "Spanish": f"{OWN}\n\nEl lun, 23 nov 2026 a las 9:12, Service (<desk@example.com>) escribió:\n\n> ¿Qué planta?",
    "Portuguese": (
        f"{OWN}\n\nEm seg., 23 de nov. de 2026 às 09:12, Service <desk@example.com> escreveu:\n\n> Que andar?"
    ),
    "Italian": f"{OWN}\n\nIl giorno lun 23 nov 2026 alle ore 09:12 Service <desk@example.com> ha scritto:\n\n> Quale?",
    "Dutch": f"{OWN}\n\nOp ma 23 nov 2026 om 09:12 schreef Service <desk@example.com>:\n\n> Welke?",
    "Polish": f"{OWN}\n\nW dniu 23.11.2026 o 09:12, Service pisze:\n> Które piętro?",
    "without marks": (
        f"{OWN}\n\nOn Mon, Nov 23, 2026 at 9:12 AM Service Desk <desk@example.com> wrote:\nWhich floor?\nThanks"
    ),
    "Outlook, English": (
        f"{OWN}\n\nFrom: Service Desk\nSent: Monday, 23 November 2026 09:12\nTo: Ann\nSubject: Printer\n\nWhich?"
    ),
    "Outlook, German": (
        f"{OWN}\n\n____________________\nVon: Service Desk\nGesendet: Montag, 23. November\nAn: Ann\nBetreff: x\n\nWas?"
    ),
    "Outlook, French": f"{OWN}\n\nDe : Service Desk\nEnvoyé : lundi 23 novembre\nÀ : Ann\nObjet : x\n\nQuoi ?",
    "dashes": f"{OWN}\n\n-----Original Message-----\nFrom: Service Desk\nWhich floor?",
    "dashes, German": f"{OWN}\n\n-----Ursprüngliche Nachricht-----\nWelche Etage?",
    "signature": f"{OWN}\n-- \nAnn Example\nRoom 7",
    "telephone": f"{OWN}\n\nSent from my iPhone",
    "telephone, German": f"{OWN}\n\nVon meinem iPhone gesendet",
    "telephone, Polish": f"{OWN}\n\nWysłane z iPhone'a",
    "Outlook on a telephone": f"{OWN}\n\nGet Outlook for iOS",
}


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_keeps_what_its_sender_wrote(reply: str) -> None:
    assert without_quotation(REPLIES[reply]) == OWN


WHOLE = {
    "forward": (
        "Please look.\n\n---------- Forwarded message ---------\nFrom: Bob\nDate: Mon\nSubject: VPN\n\nIt is down."
    ),
    "German forward": (
        "Bitte.\n\n-------- Weitergeleitete Nachricht --------\nVon: Bob\nDatum: Mo\nBetreff: VPN\n\nGeht nicht."
    ),
    "Apple forward": "Begin forwarded message:\n\nFrom: Bob\nSubject: VPN\nDate: Mon\n\nIt is down.",
    "nothing but a quotation": "On Mon, Nov 23, 2026 at 9:12 AM Ann wrote:\n> It is down.",
    "shell output": "I ran it:\n> npm start\n> error 7\nWhat now?",
    "a sentence with From:": "From: Monday on, she needs a laptop.\nThanks",
    "a sentence with wrote": "On the error page 404 somebody wrote this.\nPlease help",
    "a table of dashes": "a | b\n-----\n1 | 2\nplease",
    "no reply": OWN,
}


@pytest.mark.parametrize("text", WHOLE)
def test_what_is_no_reply_stays_whole(text: str) -> None:
    assert without_quotation(WHOLE[text]) == WHOLE[text]


def test_a_subject_says_that_it_is_a_forward() -> None:
    text = f"{OWN}\n\nFrom: Bob\nSent: Monday\nTo: Ann\nSubject: VPN\n\nIt is down."
    assert without_quotation(text, subject="WG: VPN") == text


def test_answers_between_quoted_lines_are_kept() -> None:
    reply = "On Mon, Nov 23, 2026 at 9:12 AM Desk wrote:\n> Which floor?\nThe second.\n> Since when?\nMonday."
    assert without_quotation(reply) == "The second.\nMonday."


@given(st.text())
def test_nothing_is_added_and_no_text_becomes_empty(text: str) -> None:
    kept = without_quotation(text)
    assert bool(kept.strip()) or not any(character.isalnum() for character in text)
    assert len(kept) <= len(text)


@pytest.mark.parametrize("line", ["> ", "On 1 ", "-- ", "From: x\n", "_" * 50, "Am 1 schrieb ", "a" * 100])
def test_the_time_is_linear(line: str) -> None:
    started = time.monotonic()
    without_quotation(f"{line}\n" * 20_000 + line * 20_000)
    assert time.monotonic() - started < 5
