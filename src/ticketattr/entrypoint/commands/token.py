"""`ticketattr token …`: access to the service."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated

import typer

from ...application.service.access import create_token, revoke_token
from ...application.service.ports import TokenStore
from ...domain.access import Caller, Scope, Token
from .. import wiring
from ..invocation import Invocation
from ..presentation.tables import print_table
from ..settings.folders import FolderSettings
from .help_examples import epilog_of
from .options import ListFormatOption

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the token.")]
ScopeOption = Annotated[Scope, typer.Option(help="What the token may do: `operate` includes `read`.")]
DaysOption = Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires. [default: never]")]

app = typer.Typer(
    add_completion=False,
    help="Create, list and revoke the tokens of the service.",
    epilog=epilog_of("token"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _store(invocation: Invocation, command: str) -> tuple[TokenStore, datetime]:
    """The tokens, and the present time by the clock with which they are read."""
    with invocation.reading(f"token {command}") as env:
        folders = FolderSettings.read(env)
    return wiring.service_state(folders), wiring.service_clock(folders, invocation.clock)()


@app.command(epilog=epilog_of("token create"))
def create(context: typer.Context, name: NameArgument, scope: ScopeOption = "read", days: DaysOption = None) -> None:
    """Create a token, and print its secret.

    The secret is shown once. The service keeps only a hash of it.
    """
    invocation: Invocation = context.obj
    store, now = _store(invocation, "create")
    expires = now + timedelta(days=days) if days else None
    secret = create_token(store, _caller(), name, scope, expires=expires, now=now, random=lambda: token_urlsafe(32))
    print(secret)
    invocation.console.summary(f"token {name} created; keep the secret, it is not shown again")


@app.command("list", epilog=epilog_of("token list"))
def list_tokens(context: typer.Context, format: ListFormatOption = "table") -> None:
    """List all tokens, without their secrets."""
    invocation: Invocation = context.obj
    store, now = _store(invocation, "list")
    rows = [_row(token, token.is_valid(now)) for token in store.tokens()]
    if format == "json":
        print(json.dumps(rows, indent=2))
    elif not rows:
        print("there is no token yet")
    else:
        print_table([name.capitalize() for name in rows[0]], [list(row.values()) for row in rows])


@app.command(epilog=epilog_of("token revoke"))
def revoke(context: typer.Context, name: NameArgument) -> None:
    """Revoke a token at once, and sign out everybody who signed in with it."""
    invocation: Invocation = context.obj
    store, now = _store(invocation, "revoke")
    revoke_token(store, _caller(), name, now)
    invocation.console.summary(f"token {name} revoked")


def _caller() -> Caller:
    """Who runs the command: whoever may write to the state of the service may do everything."""
    return Caller(wiring.login_name(), "operate", "command line")


def _row(token: Token, is_valid: bool) -> dict[str, str]:
    state = "revoked" if token.revoked else "valid" if is_valid else "expired"
    times = (token.created, token.expires, token.last_used)
    created, expires, used = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in times)
    return {
        "name": token.name,
        "scope": token.scope,
        "state": state,
        "created": created,
        "expires": expires,
        "used": used,
    }
