"""Text of a ticket that tries to steer a model (prompt injection).

The signs are chosen for few false alarms: forms have lines such as "System: SAP P01", and people ask to ignore their
previous ticket. What they reach is measured on labelled texts (docs/explanation/quality.md).
"""

from __future__ import annotations

import re

from .ticket import Ticket

_INVISIBLE = re.compile("[\u200b\u2060\u2063\ufeff]")
_FLAG_EMOJI = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")
_NAMED_MODEL = r"(?:ai|ki|ia|llm|language model|sprachmodell|classifier|klassifikator|model)"
_RULES = (
    r"(?:instructions?|instruc\w+|instruç\w+|istruzion\w+|prompts?|rules?|guidelines|anweisung\w*|vorgaben|regeln|regels"
    r"|règles|consignes|reglas|regole|regras|zasad\w*|instrukcj\w*|instructies|pokyn\w*|pravid\w*|инструкц\w*"
    r"|інструкц\w*|правил\w*)"
)
_WHICH = (
    r"(?:all|any|every|previous|prior|earlier|above|your|system|these|alle[nr]?|vorherigen|bisherigen|obigen|deine[nr]?"
    r"|toutes?|tes|précédentes|ci-dessus|du système|todas|tus|anteriores|de arriba|tutte|precedenti|acima|suas|suos"
    r"|wszystkie|poprzedni\w*|vorige|hierboven|všechny|předchoz\w*|все|всі|выше|предыдущ\w*"
    r"|попередн\w*)"
)
_DROP = (
    r"(?:ignore[zr]?|disregard|forget|override|bypass|do not (?:follow|obey)|don't (?:follow|obey)|pay no attention to"
    r"|ignorieren? sie|ignoriere|missachten? sie|missachte|vergiss|vergessen sie|befolge nicht"
    r"|oublie[zs]?|ne (?:tiens|tenez) pas compte|ne suis pas|ignora|olvida|no hagas caso|no sigas"
    r"|ignori|dimentica|non seguire|esqueça|desconsidere|zignoruj|zapomnij|nie stosuj|negeer|vergeet"
    r"|ignoruj|zapomeň|игнорируй(?:те)?|забудь(?:те)?|не следуй(?:те)?|ігноруй(?:те)?)"
)
_STEERING = (
    r"(?:you (?:are|must|will|only|should)|ignore|disregard|always|overrid|classif|assign all|catalog|confidence"
    r"|(?:new|these|following) (?:rule|instruction|catalog|polic)|the category is|here is the json"
    r"|ab jetzt|immer|ordnest|toujours|classe |siempre|clasifica|a partir de|sempre|zawsze|теперь|всегда|только)"
)
_ROLE = r"(?:system|assistant|developer|système|sistema|systeem|система|系统|システム)"


def _sign(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I | re.M)


# No pattern repeats without a bound: the time is linear in the text.
_SIGNS = {
    "speaks of instructions to ignore": _sign(
        rf"\b{_DROP}\b(?=[^.!?;]{{0,50}}\b{_RULES}\b)(?=[^.!?;]{{0,60}}\b{_WHICH}(?!\w))",
        r"\b(?:forget|ignore|disregard|pay no attention to)\W{1,3}(?:everything|all|what|anything)\W{1,3}(?:that )?"
        r"(?:you (?:were|have been)|i|we) (?:were |have )?(?:told|said|given|taught)\b",
        r"\b(?:previous|prior|above|earlier) (?:instructions|rules|prompt|context)\b[^.!?]{0,10} (?:is|are) "
        r"(?:now )?(?:void|deleted|invalid|cancelled|obsolete)\b",
        r"(?:忽略|无视|忘记|不要理会)(?:[^。，\n]{0,6}(?:之前|所有|上面|以上|你)){1,3}[^。，\n]{0,6}(?:指令|指示|规则|提示)",
        r"(?:指示|命令|ルール|プロンプト)を?(?:すべて)?(?:無視し|忘れ)",
        r"\b(?:talimat|kural|yönerge)\w{0,10}[^.!?]{0,20}(?:yok say|unut|görmezden gel)\b",
        r"\bignore the catalog\b",
    ),
    "speaks to a model": _sign(
        rf"\b(?:to|for|an|für|attention|hey) (?:the |any |das |die )?{_NAMED_MODEL}\s?(?=[:,]|reading)",
        r"\b(?:note à|nota a|nota per) (?:l['’]|la )ia\b",
        rf"\b(?:attention|hey|p\.s\.) {_NAMED_MODEL}\s?[:,]",
        r"\bas an ai\b[^.!?]{0,20}\byou\b",
        r"\byou are (?:now |an? ai\b)"
        r"(?=[^.!?]{0,30}\b(?:assistant|ai|dan|bot|model|pirate|classifier|router|grants)\b)",
        r"\byou are an? (?:unrestricted|uncensored|jailbroken)\b|\byou act as dan\b",
        r"\bstop being an? (?:classifier|assistant|router)\b",
        r"\b(?:eres ahora|ahora eres|du bist jetzt|bist du|vous êtes maintenant|tu es maintenant|ora sei|jesteś teraz) "
        r"(?:un|una|ein|eine|uno)?\s?(?:assist|asist|pirat|ki\b|ia\b)\w*",
        r"\b(?:reveal|print|repeat|show|output|translate|gib|zeige?|nenne?|affiche|montre|muestra|mostra)\b[^.!?\n]{0,30}"
        r"(?:system ?prompt|prompt syst|prompt del sistema|your (?:prompt|instructions|rules)\b|text of your prompt)",
        r"\bwhat are your (?:instructions|rules)\b",
        r"\b(?:reveal|print|tell me) the (?:api[- ]key|secret|token)\b",
        r"\b(?:classif|categori|assign|set the category)[^.!?\n]{0,40}"
        r"\b(?:all|every|each|next|following)\b[^.!?\n]{0,20}\btickets?\b",
        r"\bevery ticket is an?\b|\b(?:from|in) your answer\b",
        r"\bconfidence\b[^.!?\n]{0,20}(?:\b1\b|\b1[.,]0|\b0[.,]9|\b100 ?%)",
        r"(?<!\bi )(?<!\bwe )(?<!\bto )\balways (?:answer|choose|select|pick|output|respond)\b",
        r"\b(?:reply|answer|respond) with an empty\b|\breturn an empty list\b",
        r"\boutput only the word\b|\bonly with the word\b",
    ),
    "pretends to be the system": _sign(
        rf"^[^\w\n]{{0,20}}{_ROLE}(?: prompt| message| override)?\b\s{{0,3}}[:：\]][^\n]{{0,150}}?\b{_STEERING}",
        r"<\|[a-z_]{3,20}\|>|\[/?INST\]|<</?SYS>>",
        r"<system>[^<]{1,300}</system>",
        r"^#{2,4} ?(?:instruction|system|response)s?\b ?:",
        r"[\"']role[\"']\s?:\s?[\"'](?:system|assistant|developer)[\"']",
        r"^human:[^\n]{0,200}\n{1,3}assistant:|^assistant:[^\n]{0,200}\n{1,3}(?:human|user):[^\n]{0,200}\n{1,3}assistant:",
    ),
    "pretends to end the data": _sign(
        r"</(?:tickets?|examples)\s?>",
        r"^\W{0,5}end of (?:the )?(?:tickets?|prompt|user input)\b",
    ),
    "pretends to be an answer": _sign(
        r"[\"'](?:request_category|request_type)[\"']\s?:",
        r"[\"']items[\"']\s?:\s?\[",
        r"^\W{0,5}request_(?:category|type)\s?[:=]",
    ),
}
# Without one of these, the sign is not there. Looking for them first saves most of the time.
_NEEDED = {
    "speaks of instructions to ignore": [
        *("not follow", "not obey", "n't follow", "n't obey"),
        *"ignor disregard forget overrid bypass attention missacht vergiss vergess befolg oubli compte suis".split(),
        *"olvid hagas sigas dimentic seguire esqueç desconsider zapomn zapomeň stosuj neg vergeet".split(),
        *"игнор ігнор забудь следуй instructions rules prompt context talimat kural yönerge".split(),
        *"忽略 无视 忘记 理会 無視 忘れ".split(),
    ],
    "speaks to a model": [
        *"model llm classif klassif categori assign stop bist eres êtes prompt".split(),
        *"your secret token confidence always".split(),
        *("you a", "tu es", "ora sei", "jesteś", "empty", "only", "api", "every ticket", "set the"),
        *(" ai", " ki", " ia", "'ia", "’ia"),
    ],
    "pretends to be the system": (
        "<| [inst] [/inst] <sys> </sys> ## role human system assistant developer système sistema systeem "
        "система 系统 システム"
    ).split(),
    "pretends to end the data": ["</", "end of"],
    "pretends to be an answer": ["request_", "items"],
}
_HIDDEN_TEXT = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069]{2,}|[\U000e0000-\U000e007f]|(?:[a-z][\u200b\u2060\ufeff][a-z][^\u200b\u2060\ufeff]{0,30}){3}",
    re.I,
)


def find_prompt_injection(ticket: Ticket) -> str:
    """What looks like an attempt to steer a model, in words; empty for an ordinary ticket.

    It is a sign, not a proof: such a ticket is attributed like any other, and a person should look at it.
    """
    text = f"{ticket.short_description}\n{ticket.long_description}"
    if text.isascii():
        return ", ".join(_found_in(text))
    text = _FLAG_EMOJI.sub("", text)
    found = _found_in(_INVISIBLE.sub("", text))
    return ", ".join([*found, "hides text"] if _HIDDEN_TEXT.search(text) else found)


def _found_in(text: str) -> list[str]:
    folded = text.casefold()
    return [meaning for meaning, sign in _SIGNS.items() if _has_one(folded, _NEEDED[meaning]) and sign.search(text)]


def _has_one(text: str, words: list[str]) -> bool:
    for word in words:  # noqa: SIM110  # a generator takes twice as long
        if word in text:
            return True
    return False
