"""How to install an extra, from where the program itself came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ticketattr.infrastructure.extras import install_hint

GIT = {"url": "https://git.example/ticketattr.git", "vcs_info": {"vcs": "git", "commit_id": "1f3a"}}


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'ticketattr[serve,store]'"),
        (
            {"url": "file:///srv/my%20clone", "dir_info": {"editable": True}},
            "pip install -e '/srv/my clone[serve,store]'",
        ),
        ({"url": "file:///srv/clone", "dir_info": {}}, "pip install '/srv/clone[serve,store]'"),
        (GIT, "pip install 'ticketattr[serve,store] @ git+https://git.example/ticketattr.git'"),
        (
            {**GIT, "vcs_info": {**GIT["vcs_info"], "requested_revision": "v0.2.0"}},  # type: ignore[dict-item]  # a dict
            "pip install 'ticketattr[serve,store] @ git+https://git.example/ticketattr.git@v0.2.0'",
        ),
        (
            {"url": "file:///tmp/ticketattr.whl", "archive_info": {}},
            "pip install 'ticketattr[serve,store] @ file:///tmp/ticketattr.whl'",
        ),
    ],
    ids=["index", "editable clone", "clone", "repository", "tag of a repository", "wheel"],
)
def test_an_extra_is_installed_from_where_the_program_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, command: str
) -> None:
    folder = tmp_path / "ticketattr-9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: ticketattr\nVersion: 9\n")
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)
    assert install_hint("serve", "store") == f"Run `{command}`."


def test_a_program_that_was_not_installed_gets_its_extra_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    assert install_hint("serve") == "Run `pip install 'ticketattr[serve]'`."
