"""The policies allow no more than necessary. These tests read the files; they cannot try them at AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .scripts import DEPLOY

POLICIES = sorted(path.stem for path in (DEPLOY / "iam").glob("*.json"))
# AWS has no resources for these actions.
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken", "ssm:GetCommandInvocation"}


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / f"iam/{name}.json").read_text(encoding="utf-8"))["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_has_a_star_only_where_aws_requires_one(name: str) -> None:
    for statement in statements(name):
        actions = set(listed(statement["Action"]))
        assert not [action for action in actions if "*" in action]
        assert statement["Effect"] == "Allow"
        if "*" in listed(statement.get("Resource", [])):
            assert actions <= WITHOUT_RESOURCE


def test_only_the_environment_dev_of_one_repository_is_trusted() -> None:
    (statement,) = statements("trust")
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    # StringEquals, not StringLike: a pattern could match other branches and environments.
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:${REPOSITORY}:environment:dev",
        }
    }


def test_a_deployment_sends_one_document_to_one_instance() -> None:
    (send,) = [each for each in statements("deploy") if each["Action"] == "ssm:SendCommand"]
    assert send["Resource"] == [
        "arn:aws:ssm:${REGION}:${ACCOUNT}:document/ticketattr-deploy",
        "arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${INSTANCE}",
    ]


def test_a_build_writes_only_to_one_repository_and_one_prefix_and_overwrites_nothing() -> None:
    resources = {each["Resource"] for each in statements("build")} - {"*"}
    assert resources == {
        "arn:aws:ecr:${REGION}:${ACCOUNT}:repository/ticketattr",
        "arn:aws:s3:::${BUCKET}/ticketattr/dev/*",
    }
    (put,) = [each for each in statements("build") if each["Action"] == "s3:PutObject"]
    assert put["Condition"] == {"Null": {"s3:if-none-match": "false"}}


def test_the_instance_may_only_read_and_publish_alerts() -> None:
    actions = {action for each in statements("instance") for action in listed(each["Action"])}
    assert {action.partition(":")[2][:3] for action in actions} == {"Get", "Bat", "Pub"}
    assert not [action for action in actions if "Put" in action or "Send" in action]
