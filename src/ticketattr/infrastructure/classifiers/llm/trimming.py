"""What a ticket is about, without what mails have around it: greeting, closing words, signature and quotation.

Only whole lines are left out, and only where they are nothing but such words. A text that has nothing else stays.
"""

from __future__ import annotations

import re

from ...helpdesk.quoted_replies import without_quotation

_HELLO = (
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|guten (?:tag|morgen|abend)|moin"
    r"|sehr geehrte[rs]?|liebe[rs]?|bonjour|bonsoir|salut|ch[eè]re?s?|hola|buen[oa]s (?:d[ií]as|tardes)|estimad[oa]s?"
    r"|ciao|buongiorno|buonasera|gentile|ol[áa]|bom dia|boa tarde|car[oa]s?|beste|geachte|goedemorgen|goedemiddag"
    r"|dzie[ńn] dobry|witam|szanown[iay]\w{0,5})"
)
_EVERYBODY = (
    r"(?: (?:all|team|there|everyone|everybody|support|colleagues|together|zusammen|sir or madam|damen und herren"
    r"|service desk|help ?desk|it team)){0,3}"
)
# A name is recognized by the comma after it: without one, "Hello printer broken" would be a greeting.
_GREETING = re.compile(
    rf"{_HELLO}(?:{_EVERYBODY}\s{{0,3}}[,!.:]{{0,3}}|(?: [\w'.-]{{1,25}}){{1,4}}\s{{0,3}},)", re.IGNORECASE
)
_CLOSING = re.compile(
    r"(?:(?:(?:with )?(?:best|kind|warm|many)(?:est)? )?(?:regards|wishes|greetings)|best|cheers|sincerely|yours "
    r"(?:sincerely|faithfully|truly)|(?:many |a lot of )?thanks|thanks a lot|thank you(?: very much)?|thx|tia"
    r"|mit (?:freundlichen|freundlichem|besten|bestem|lieben|vielen) (?:gr[üu](?:ß|ss)en|gru(?:ß|ss)|dank)"
    r"|(?:viele|beste|liebe|sch[öo]ne|freundliche) gr[üu](?:ß|ss)e|mfg|vg|lg|danke(?: sch[öo]n)?|(?:vielen|besten) dank"
    r"|(?:bien )?cordialement|salutations|merci(?: beaucoup)?|(?:un )?(?:cordial(?:es)? )?saludos?|atentamente"
    r"|(?:muchas )?gracias|(?:cordiali|distinti) saluti|grazie|(?:com os melhores )?cumprimentos|atenciosamente"
    r"|(?:muito )?obrigad[oa]|(?:met )?vriendelijke groet(?:en)?|groet(?:en|jes)?|mvg|bedankt|pozdrawiam"
    r"|z powa[żz]aniem|dzi[ęe]kuj[ęe])"
    r"(?: (?:in advance|again|im voraus|d.avance|de antemano|in anticipo|bij voorbaat|z g[óo]ry"
    r"|and (?:best|kind) regards))?"
    r"\s{0,3}[,!.]{0,3}",
    re.IGNORECASE,
)
_LONGEST_LINE = 80
_SIGNATURE_LINES, _SIGNATURE_WIDTH = 8, 60


def essential_text(text: str, subject: str) -> str:
    """Returns the lines of a description that say something about the ticket, without empty lines between them."""
    lines = [line.strip() for line in without_quotation(text, subject).splitlines() if line.strip()]
    kept = _without_closing(_without_greeting(lines))
    return "\n".join(kept or lines) or text.strip()


def _without_greeting(lines: list[str]) -> list[str]:
    return lines[1:] if lines and _is_only(_GREETING, lines[0]) else lines


def _without_closing(lines: list[str]) -> list[str]:
    """Leaves out everything from the closing words on, if what follows them may be a signature."""
    for place in range(max(1, len(lines) - _SIGNATURE_LINES), len(lines)):
        if _is_only(_CLOSING, lines[place]) and all(map(_may_be_signature, lines[place + 1 :])):
            return lines[:place]
    return lines


def _is_only(words: re.Pattern[str], line: str) -> bool:
    return len(line) <= _LONGEST_LINE and words.fullmatch(line) is not None


def _may_be_signature(line: str) -> bool:
    return len(line) <= _SIGNATURE_WIDTH and "?" not in line and not re.match(r"p\.? ?s\b", line, re.IGNORECASE)
