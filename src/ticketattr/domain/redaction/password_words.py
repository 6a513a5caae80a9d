"""The words that announce a password, and the ordinary words that follow them instead of one, in several languages."""

from __future__ import annotations

import re

# Found at the end of longer words, too: `DB_PASSWORD`, `Benutzerpasswort`.
_LONG_WORDS = (
    r"passwords?|passwort|passwörter|passwd|passphrase|passcode|pass[- ]?key|kennwort|kennwörter|passord|lösenord"
    r"|adgangskode|mots? de passe|contraseñas?|contrasenas?|parola d'ordine|wachtwoord(?:en)?|hasło|haslo|heslo|jelszó"
    r"|пароль|salasana|parool|şifre|密码|パスワード|secrets?|tokens?|pre-?shared[ -]?key"
    r"|(?:api|access|secret|private|auth|encryption|account|shared|storage|subscription|consumer|wlan|wifi|wi-fi"
    r"|wpa2?|wep|network|security|recovery|license|licence|product|activation|bitlocker|master|ssh|signing|deploy|lizenz"
    r"|aktivierungs|produkt|netzwerk|sicherheits|wiederherstellungs)[ _-]?(?:access[ _-]?)?"
    r"(?:keys?|schlüssel|schluessel)"
    r"|clave (?:de acceso|secreta|wifi|privada)"
    r"|clé (?:api|wifi|wpa|secrète|privée|d'accès|de licence|de récupération)"
    r"|(?:verification|security|access|recovery|backup|one-time|one time|otp|mfa|2fa|authentication|auth|login|door"
    r"|entry|confirmation|reset|unlock|puk|sms|authenticator|activation)[ _-]?codes?"
    r"|(?:bestätigungs|sicherheits|zugangs|zugriffs|freischalt|tür|einmal|verifizierungs|aktivierungs|anmelde|entsperr"
    r"|sms)-?(?:codes?|pin)"
    r"|code (?:pin|de sécurité|de vérification|d'accès|de confirmation|secret)"
    r"|c[oó]digo (?:pin|de seguridad|de verificaci[oó]n|de acceso|de confirmación)"
    r"|codice (?:pin|di verifica|di sicurezza|di accesso)"
)
# Found as words of their own only.
_SHORT_WORDS = (
    r"passw|pwd?|pass|pin-?code|pin-?nummer|pins?|puk|tan|t?otp|mdp|passe|clave|senha|palavra-passe|kodeord|cvv2?|cvc2?"
    r"|psw|pswd|psk"
)
KEYWORD = re.compile(rf"(?:{_LONG_WORDS}|(?P<short>{_SHORT_WORDS}))(?![^\W_])")
"""What announces a secret, in lower case. What is `short` is a keyword only as a word of its own."""

HINT = re.compile(
    r"pass|pw|psw|kennw|mots? de|mdp|contrase|paro(?:l|ol)|wachtw|hasł|haslo|heslo|jelsz|паро|salasana|şifre|密|パ"
    r"|secret|token|key|schl(?:ü|ue)ssel|clave|clé|codes?(?![^\W_])|c[oó]digo|codice|pins?(?![^\W_])|pin-|puk"
    r"|tan(?![^\W_])|otp|senha|kod|cv[vc]|psk|lösen|adgang|passe"
)
"""Without it, no keyword is in a text in lower case. Looking for it first saves most of the time."""

NUMERIC = re.compile(
    r"(?:.*pins?|pin-?(?:code|nummer)|puk|tan|t?otp|cvv2?|cvc2?|.*codes?|code .*|c[oó]di(?:go|ce) .*|tokens?)", re.I
)
"""The keywords whose secret may be a plain number."""

_VERBS = (
    r"(?:is|was|ist|war|c'est|lautete?|sei|est|était|es|era|è|é|jest|are|sind|lauten|sont|son|sono|são|heißt|becomes)"
    r"(?:[ \t]{1,3}(?:jetzt|now|nun|still|noch|also|auch|gleich|simply|just|currently|aktuell|toujours))?"
)
_WORD = r"[ \t]{1,3}[^\s.!?:;,=<>\"]{1,25}"
SIGN = re.compile(r"[\"'`*_\])]{0,3}[ \t]{0,4}(?:[:=]{1,2}>?|->|→)[ \t]{0,4}\n?[ \t]{0,8}")
"""`password: …`, `password=…`."""
IS = re.compile(rf"[ \t,]{{1,4}}{_VERBS}[ \t]{{0,2}}[:=]?[ \t]{{1,4}}", re.IGNORECASE)
"""`password is …`."""
GAP_IS = re.compile(rf"(?:{_WORD}){{1,6}}?[ \t,]{{1,4}}{_VERBS}[ \t]{{0,2}}[:=]?[ \t]{{1,4}}", re.IGNORECASE)
"""`password of the guests is …`."""
GAP_SIGN = re.compile(rf"(?:{_WORD}){{1,5}}?[ \t]{{0,2}}(?::|=|->|→)[ \t]{{1,4}}")
"""`password for guests: …`."""
BECAME = re.compile(
    rf"(?:{_WORD}){{0,5}}?[ \t]{{1,3}}(?:to|auf|in|zu|à|en|a|por|with|mit|avec|con|z|met|via|per|als|as)[ \t]{{1,4}}",
    re.IGNORECASE,
)
"""`password changed to …`."""
NEXT = re.compile(r"[\"'`.]{0,2}(?:[ \t]{1,3}-|[ \t(\[<,])[ \t(\[<,]{0,3}(?=\S)")
"""`password …`."""
_THE_OTHER = (
    r"(?:(?:and|but|und|et|y)[ \t])?(?:(?:the|my|das|mein|le|mon|la|mi)[ \t])?"
    r"(?:new|old|neue[sr]?|alte[sr]?|nouveau|nueva)(?:[ \t](?:one|password))?[ \t]{1,2}"
    rf"(?:{_VERBS}[ \t]{{1,2}}|:[ \t]{{1,2}})"
)
MORE = re.compile(
    rf"[ \t]{{0,2}}(?:\.[ \t]{{1,2}}{_THE_OTHER}"
    rf"|(?:[,;]|/|and|or|und|oder|et|ou|y|o|e|&)[ \t]{{1,2}}(?:{_THE_OTHER})?)",
    re.IGNORECASE,
)
"""Between a secret and a second one: `… and …`, `…, the new one is …`."""

ORDINARY = frozenset(
    """
    a abajo aber abgelaufen about above accepted added after aktualisiert all already also always am an and any
    anymore are as ask asking asks at attached auch auf back bad be because been before beigefügt beim being bekannt
    below bitte blank blocked blockiert bloqueada bloqueado bloqueo bloqué but by caducada caducado can can't cannot
    case-sensitive change changed changing ci-dessous clear complex compromised correct correcta correcte correctly
    created da das deaktiviert deleted den denied denn deny der die different disabled do does doesn't don't doppelt
    du due easy ein eine einem einen email empty en enabled ended enregistré ensure entered erforderlich error es est
    et etc everywhere expirada expirado expire expired expires expiring expiré expirée failed failing fails falsch
    fehler fehlt field fine for forgotten form from funktioniert für generated gesendet gesetzt gespeichert gesperrt
    gestohlen geändert gone good grayed great greyed guardada gut gültig has hat have he hello help here hidden hier
    hilfe how i i'm ich identical identisch if ignored ihr im immer in inactive inconnu incorrect incorrecta
    incorrecte incorrecto incorrectos initial invalid invalida invalide inválida inválido is issue issues ist it its
    ja kann kaputt kein keine klar known komplex korrekt kurz können la lang las le leer les linked locked long longer
    los lost läuft made manager mandatory maybe mein meine mentioned missing mit mon morgen muss must my n/a na nach
    ne need needed needs never new nicht nirgends no noch nochmal non none nope nor not notwendig now null nun nur
    nötig oben obligatoire obligatorisch of off oficial ok okay old olvidada olvidado olvidé on onjuist only onto open
    optional or ou oublié oubliée our out outdated pas per perdida perdido perdu please policy por possible problem
    problems prompt prompted protected que re ready refused refusé refusée rejected requerida requested required
    requires requis requise reset resets resetting restored richtig right safe same saved schon schwach screen see
    seen sent set shared she short should shown sicher siehe simple since so somehow soon standard still stolen stored
    strong sure synced taken temporary that the their then there they this to todavía today tomorrow too trop two
    unbekannt unchanged und ungültig unknown unreadable unsafe unset unsicher unten until up update updated us used
    user username users valid valide vergessen vergeten verlopen verloren versandt very visible von vor wahrscheinlich
    want was we weak weg weiter were what when where whether which who why wieder will wird with without work working
    works would wrong wrongly wurde yes you your zu zum zur zurückgesetzt zurücksetzen übermittelt
    """.split()
)
"""What follows a keyword and is no secret."""
ENDS_OF_VERBS = re.compile(
    r"(?:[^\W\d_]{2,}(?:ed|ing|tion|ment|able|ible|ieren|iert|isch|lich|ada|ado|ida|ido|ée?s?|ato|ata|ung|ungen)"
    r"|(?:ge|ver|abge|zurück|einge|unge)[^\W\d_]{2,20}(?:t|en))",
    re.IGNORECASE,
)
"""What ends, or begins and ends, as the verbs and adjectives that follow "is"."""
NO_SECRET = re.compile(
    r"(?:office|windows|win|outlook|sap|exchange|server|sql|teams|adobe|citrix|ios|android|iphone|ipad|oauth|tls|sha|wpa"
    r"|https?|v|ver|kb|inc|req|chg|ritm|sctask|tkt|ticket|case|room|raum|level|stufe|days?|tage?|step|teil|part|top|f"
    r"|m|o|i|l2tp|ipv|dot1x|802\.)[-_.]?\d{1,10}(?:\.\d{1,5}){0,3}[a-z]?"
    r"|\d{1,3}(?:x|mal|times|fach|h|min|s|d|st|nd|rd|th|%|er|e|a)|\d{1,4}(?:[./:-]\d{1,4}){1,4}|(?-i:[A-Z]{2,8}-\d{1,12})"
    r"|https?:.{0,256}|\\\\.{0,256}|[A-Za-z]:[\\/].{0,256}|/.{0,256}|[\w-]{1,60}\.(?:pdf|docx?|xlsx?|txt|exe|msi|png|jpe?g)"
    r"|[*•.xX_?#-]{1,64}|[\w.+-]{1,64}@[\w.-]{1,64}\.[a-z]{2,10}|\w{1,20}\(s\)|[^\W\d_]{1,30}/[^\W\d_]{1,30}|[^\W\d_]{1,30}-[^\W\d_]{1,30}",
    re.IGNORECASE,
)
"""What has digits or signs in it and is no secret: products, tickets, counts, dates, places, masks, addresses."""
