"""Calls of the AWS command line, against the fake AWS of these tests."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from .scripts import TOOLS

LOCATION = ("--create-bucket-configuration", "LocationConstraint=eu-central-1")


def ask(env: dict[str, str], *words: str) -> Any:
    """The output of the AWS command line, parsed."""
    command = [str(TOOLS / "aws"), *words, "--output", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"], **env})
    return json.loads(done.stdout or "null")


def outputs(printed: str) -> dict[str, str]:
    """The outputs of a script, as a workflow reads them."""
    return dict(line.split("=", 1) for line in printed.splitlines())


def put_secret(env: dict[str, str], name: str, value: str) -> None:
    request = {"Name": name, "Value": value, "Type": "SecureString"}
    ask(env, "ssm", "put-parameter", "--cli-input-json", json.dumps(request))


def messages_to(topic: str) -> list[str]:
    """Every message to that topic, oldest first."""
    from moto.sns.models import sns_backends

    return [message for _, message, *_ in sns_backends["123456789012"]["eu-central-1"].topics[topic].sent_notifications]
