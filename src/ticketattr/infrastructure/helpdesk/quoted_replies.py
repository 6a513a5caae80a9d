"""What somebody wrote in a reply, without the mail that it quotes and without the signature.

Mail programs mark a quotation in few ways, each in the language of its user: a line that says who wrote when, the
header of the mail, or a line of dashes. A forward is kept whole, since what it passes on is the message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FORWARD = re.compile(
    r"^\W{0,20}(?:begin )?(?:forwarded message|forwarded by|weitergeleitete nachricht|anfang der weitergeleiteten"
    r"|message transf[ée]r[ée]|d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])|mensaje reenviado"
    r"|inicio del mensaje reenviado|mensagem (?:encaminhada|reencaminhada)|in[ií]cio da mensagem (?:re)?encaminhada"
    r"|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht"
    r"|przekazana wiadomo[śs][ćc]|pocz[ąa]tek przekazywanej wiadomo[śs]ci)\b",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(r"^\s*(?:fwd?|wg|tr|rv|enc|i|doorst|pd)\s*:", re.IGNORECASE)
_SOMEBODY_WROTE = re.compile(
    r"^(?:on|am|le|el|em|a|il|op|w dniu|dnia)\b(?=[^\n]*\d).*"
    r"\b(?:wrote|schrieb|a [ée]crit|escribi[óo]|escreveu|ha scritto|schreef|napisa[łl](?:\(?a\)?)?|pisze)\b"
    r"[^\n]{0,80}:$",
    re.IGNORECASE,
)
_WROTE_LINES = 3
"""A line that says who wrote when may be folded into so many."""

_ORIGINAL = re.compile(
    r"^\W{0,20}(?:original message|urspr[üu]ngliche nachricht|message d.origine|mensaje original|mensagem original"
    r"|messaggio originale|oorspronkelijk bericht|(?:wiadomo[śs][ćc] oryginalna|oryginalna wiadomo[śs][ćc]))\W{1,20}$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\W{0,3}(?:from|von|de|da|van|od)\W{0,3}:\W{0,3}\s*\S", re.IGNORECASE)
_HEADER = re.compile(
    r"^\W{0,3}(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoy[ée]|[àa]|objet|enviado(?: el| em)?|fecha|data"
    r"|para|asunto|assunto|inviato|oggetto|verzonden|aan|onderwerp|wys[łl]ano|do|temat|dw)\W{0,3}:",
    re.IGNORECASE,
)
_HEADER_LINES, _HEADERS = 6, 2
_SENT_FROM = re.compile(
    r"^\W{0,3}(?:sent from my |sent via |get outlook for |von meinem .{1,40} gesendet|gesendet (?:von|mit) "
    r"|outlook f[üu]r .{1,20} beziehen|envoy[ée] (?:de|depuis) (?:mon|ma) |t[ée]l[ée]charger outlook pour "
    r"|enviado desde (?:mi|outlook) |enviado do meu |obter o outlook para |inviato da(?:l mio)? |verstuurd vanaf mijn "
    r"|verzonden vanaf mijn |wys[łl]ane z |wys[łl]ano z ).{0,80}$",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 15
_RULE = re.compile(r"^[_\-=*]{5,}$")


def without_quotation(text: str, subject: str = "") -> str:
    """Returns what the sender of a reply wrote; the whole text of a forward, or where nothing would be left."""
    lines = [line.rstrip() for line in text.splitlines()]
    if _FORWARD_SUBJECT.match(subject) or any(_FORWARD.match(line.lstrip("> ")) for line in lines):
        return text
    kept = _without_signature(_without_quoted_lines(lines))
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1].strip())):
        kept.pop()
    own = "\n".join(kept).strip()
    return own if any(character.isalnum() for character in own) else text


def _without_quoted_lines(lines: Sequence[str]) -> list[str]:
    for place, line in enumerate(lines):
        after = _end_of_attribution(lines, place)
        if after:
            return [*lines[:place], *_answers_between(lines[after:])]
        if _ORIGINAL.match(line.strip()) or _is_mail_header(lines, place):
            return list(lines[:place])
    return list(lines)


def _end_of_attribution(lines: Sequence[str], place: int) -> int:
    """The place after a line that says who wrote when; 0 if there is none at `place`."""
    start = lines[place].lstrip("> ")
    if not start:
        return 0
    folded = ""
    for more in range(min(_WROTE_LINES, len(lines) - place)):
        line = lines[place + more].lstrip("> ").strip()
        folded = f"{folded} {line}".strip()
        if not line or len(folded) > 400:
            return 0
        if _SOMEBODY_WROTE.match(folded):
            return place + more + 1
    return 0


def _answers_between(lines: Sequence[str]) -> list[str]:
    """What stands between quoted lines; nothing where the quotation is not marked by `>`."""
    first = next((line for line in lines if line.strip()), "")
    if not first.startswith(">"):
        return []
    return [line for line in lines if not line.startswith(">")]


def _is_mail_header(lines: Sequence[str], place: int) -> bool:
    """Whether the header of a mail begins at `place`: a sender, and some of the lines that follow one."""
    if not _FROM.match(lines[place].strip()):
        return False
    following = [line.strip() for line in lines[place + 1 : place + 1 + _HEADER_LINES]]
    return sum(bool(_HEADER.match(line)) for line in following) >= _HEADERS


def _without_signature(lines: list[str]) -> list[str]:
    end = len(lines)
    for place in range(max(0, end - _SIGNATURE_LINES), end):
        if lines[place].strip() == "--":
            end = place
            break
    return [line for line in lines[:end] if not _SENT_FROM.match(line.strip())]
