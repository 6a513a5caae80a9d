"""Creates the tag that deploys to dev: the next `X.Y.Z-dev`, on the default branch, with everything committed.

    python deploy/release_dev.py [X.Y.Z-dev] [--yes] [--push]

It asks for confirmation; `--yes` accepts the proposed version. The tag stays local unless `--push` is given.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable

TAG = re.compile(r"(\d+)\.(\d+)\.(\d+)-dev", re.ASCII)


class Refusal(Exception):
    """The reason why no tag was created; the message is for the user."""


def next_tag(tags: Iterable[str]) -> str:
    """The next patch version after the highest tag, compared by number. Other tags are ignored."""
    matches = [match for match in map(TAG.fullmatch, tags) if match]
    major, minor, patch = max((tuple(map(int, match.groups())) for match in matches), default=(0, 1, -1))
    return f"{major}.{minor}.{patch + 1}-dev"


def git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607
    if result.returncode:
        raise Refusal(f"git {arguments[0]}: {result.stderr.strip() or 'failed'}")
    return result.stdout.strip()


def default_branch() -> str:
    """The default branch of the remote; `main` if the remote does not name one."""
    try:
        return git("symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    except Refusal:
        return "main"


def check_place() -> None:
    """Raises Refusal unless the default branch is checked out and everything is committed."""
    branch, default = git("branch", "--show-current"), default_branch()
    if branch != default:
        raise Refusal(f"{branch or 'no branch'} is checked out; only {default} is deployed")
    changes = git("status", "--porcelain")
    if changes:
        raise Refusal(f"commit or stash these first:\n{changes}")


def choose(asked: str | None, *, yes: bool) -> str:
    """The tag to create. Asks the user unless `yes`; an empty input accepts the proposal."""
    tags = git("tag", "--list").splitlines()
    tag = asked or next_tag(tags)
    if not yes:
        tag = input(f"Tag {git('rev-parse', '--short', 'HEAD')} as [{tag}]: ").strip() or tag
    if not TAG.fullmatch(tag):
        raise Refusal(f"{tag!r} is not a version like 1.2.3-dev")
    if tag in tags:
        raise Refusal(f"{tag} exists already; a version is always one commit")
    return tag


def release(asked: str | None, *, yes: bool, push: bool) -> None:
    check_place()
    tag = choose(asked, yes=yes)
    git("tag", "--annotate", tag, "--message", f"Deploy {tag} to dev")
    if push:
        git("push", "origin", f"refs/tags/{tag}")
        print(f"{tag} is created and pushed; the workflow deploy-dev deploys it")
    else:
        print(f"{tag} is created; `git push origin {tag}` deploys it")


def main() -> int:
    parser = argparse.ArgumentParser(prog="release_dev", description="Creates the next X.Y.Z-dev tag.")
    parser.add_argument("tag", nargs="?", help="the tag to create instead of the proposed one")
    parser.add_argument("--yes", action="store_true", help="create it without asking")
    parser.add_argument("--push", action="store_true", help="also push it, which starts the deployment")
    options = parser.parse_args()
    try:
        release(options.tag, yes=options.yes, push=options.push)
    except Refusal as refusal:
        print(f"release_dev: {refusal}", file=sys.stderr)
        return 1
    except EOFError:
        print("\nrelease_dev: no input; --yes accepts the proposed version", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
