"""Descriptions as seven programs write them in HTML: the same words, in other markup."""

from __future__ import annotations

import html
from collections.abc import Callable

_PICTURE = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAUA" * 200
_OFFICE_STYLE = """<style><!--
/* Style Definitions */
@font-face {font-family:"Aptos"; panose-1:2 11 0 4 2 2 2 2 2 4;}
p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:"Aptos",sans-serif; mso-ligatures:none;}
span.EmailStyle17 {mso-style-type:personal-compose; color:windowtext;}
@page WordSection1 {size:612.0pt 792.0pt; margin:72.0pt;}
--></style>"""


def _lines(text: str) -> list[str]:
    return html.escape(text).split("\n")


def _outlook(text: str) -> str:
    lines = "".join(f'<p class="MsoNormal"><span lang="EN-US">{line}<o:p></o:p></span></p>' for line in _lines(text))
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta name="Generator" content="Word 15">'
        f"{_OFFICE_STYLE}<!--[if gte mso 9]><xml><o:shapedefaults/></xml><![endif]--></head>"
        f'<body lang="EN-US" link="#467886"><div class="WordSection1">{lines}</div></body></html>'
    )


def _gmail(text: str) -> str:
    first, *rest = _lines(text)
    divs = "".join(f"<div>{line or '<br>'}</div>" for line in rest)
    return (
        f'<div dir="ltr"><div class="gmail_default" style="font-family:arial">{first}</div>{divs}<div><br></div></div>'
    )


def _apple_mail(text: str) -> str:
    lines = "".join(f"<div>{line or '<br>'}</div>" for line in _lines(text))
    return (
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="word-wrap: '
        f'break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">{lines}<br id="lineBreakAtBeginning">'
        '<div><meta charset="UTF-8"><span class="Apple-converted-space">&nbsp;</span></div></body></html>'
    )


def _word(text: str) -> str:
    rows = "".join(
        f"<p class=MsoListParagraph><span style='mso-fareast-language:EN-US'>{x}</span></p>" for x in _lines(text)
    )
    return (
        f"<!DOCTYPE html><html><head><title>Document1</title>{_OFFICE_STYLE}</head><body lang=DE>"
        f"<!--StartFragment--><table class=MsoTableGrid border=0><tr><td width=604 valign=top>{rows}"
        "</td></tr></table><![if !supportEmptyParas]>&nbsp;<![endif]><!--EndFragment--></body></html>"
    )


def _zammad(text: str) -> str:
    lines = "".join(f"<div>{line or '<br>'}</div>" for line in _lines(text))
    return f'{lines}<div data-signature="true" data-signature-id="1"><br></div><p hidden>Write …</p>'


def _escaped_twice(text: str) -> str:
    return html.escape("".join(f"<p>{line}</p>" for line in _lines(text)))


def _pictures(text: str) -> str:
    lines = "".join(f"<p>{line}</p>" for line in _lines(text))
    picture = f'<p><img src="{_PICTURE}" width="640" height="480"></p>'
    return f"{picture}{lines}{picture}"


KINDS: dict[str, Callable[[str], str]] = {
    "Outlook": _outlook,
    "Gmail": _gmail,
    "Apple Mail": _apple_mail,
    "Word": _word,
    "Zammad (CKEditor)": _zammad,
    "escaped twice": _escaped_twice,
    "with `data:` pictures": _pictures,
}
