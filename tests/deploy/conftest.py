"""A fake AWS on loopback, which is empty at the start of each test. The scripts are for Linux only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(endpoint: str) -> dict[str, str]:
    """The environment of a user with a role at AWS."""
    with urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")):  # noqa: S310
        pass
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_MAX_ATTEMPTS": "1",
    }
