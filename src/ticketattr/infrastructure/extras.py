"""How to install an extra of the package."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from shlex import quote
from urllib.parse import urlsplit
from urllib.request import url2pathname


def install_hint(*extras: str) -> str:
    """The command that installs `extras` from where the program came from: a clone, a repository or an index.

    The installer writes that down (PEP 610).
    """
    try:
        origin = json.loads(distribution("ticketattr").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    names = f"[{','.join(extras)}]"
    url = origin.get("url", "")
    if "dir_info" in origin:
        what = f"{url2pathname(urlsplit(url).path)}{names}"
        return f"Run `pip install {'-e ' if origin['dir_info'].get('editable') else ''}{quote(what)}`."
    vcs = origin.get("vcs_info", {})
    revision = f"@{vcs['requested_revision']}" if "requested_revision" in vcs else ""
    where = f" @ {vcs['vcs']}+{url}{revision}" if vcs else f" @ {url}" if url else ""
    return f"Run `pip install 'ticketattr{names}{where}'`."
