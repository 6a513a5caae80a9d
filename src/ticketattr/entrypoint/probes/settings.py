"""Every setting with its value and its source, and what is missing, wrong or strange."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator

from ...application.check import Finding
from ...errors import ExitCode, TicketAttrError
from ..settings.environment import Asked, Environment
from ..settings.masking import MASK, masked_value
from ..settings.names import SECTIONS, known_settings
from ..settings.unknown_settings import unknown_settings
from ..settings.values import Values, file_setting

AREA = "settings"

_NAME = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bCLASSIFIER\b")

_OTHERS_MAY_READ = 0o004


def probe_settings(values: Values, *, everything: bool) -> Iterator[Finding]:
    """Those that are set somewhere, or all of them, and every problem of any section."""
    env = Environment(values)
    problems = [finding for read in SECTIONS for finding in _refusals(env, values, read)]
    problems += [_missing(name) for name in dict.fromkeys(env.missing)]
    problems += [_wrong(problem, values) for problem in dict.fromkeys(env.wrong)]
    at_fault = {name for problem in problems for name in _NAME.findall(problem.what)}
    yield from _listed(env, values, at_fault, everything=everything)
    yield from problems
    for unknown in unknown_settings(values):
        yield Finding.warning(AREA, unknown.what, unknown.fix)
    yield from _exposed_secrets(values)


def _refusals(env: Environment, values: Values, read: Callable[[Environment], object]) -> Iterator[Finding]:
    try:
        read(env)
    except TicketAttrError as error:
        yield Finding.error(AREA, error) if error.hint else _wrong(str(error), values)


def _missing(name: str) -> Finding:
    fix = "Set it in the environment or in an env file (see .env.example)."
    return Finding(AREA, f"{name} is not set", "error", fix, ExitCode.USAGE)


def _wrong(problem: str, values: Values) -> Finding:
    """What is wrong begins with the name of the setting."""
    name = next(iter(_NAME.findall(problem)), "")
    if problem.startswith(f"{name}: "):
        fix = f"Put the secret into that file, or another path into {name} ({values.source(name)})."
    elif source := values.source(name) or values.source(name, is_secret=True):
        fix = f"Correct it ({source})."
    else:
        fix = "Set it in the environment or in an env file (see .env.example)."
    return Finding(AREA, problem, "error", fix, ExitCode.USAGE)


def _listed(env: Environment, values: Values, at_fault: Container[str], *, everything: bool) -> Iterator[Finding]:
    left_out = 0
    for name, known in known_settings().items():
        if name in at_fault or file_setting(name) in at_fault:
            continue
        asked = env.asked.get(name)
        source = values.source(name, is_secret=known.is_secret)
        if source or everything:
            yield Finding(AREA, _line(name, asked or known, source, values) + ("" if asked else ", not used"))
        else:
            left_out += 1
    if left_out:
        yield Finding(AREA, f"{left_out} more have their defaults (-v shows them)")


def _line(name: str, asked: Asked, source: str, values: Values) -> str:
    if not source:
        return f"{name} = {asked.default or '(empty)'} (default)"
    value = MASK if asked.is_secret else masked_value(name, values.text(name).strip())
    return f"{name} = {value} ({source})"


def _exposed_secrets(values: Values) -> Iterator[Finding]:
    secrets = [name for name, known in known_settings().items() if known.is_secret]
    for layer in values.layers:
        holds = [name for name in secrets if layer.values.get(name, "").strip()]
        if holds and layer.path and os.name != "nt" and layer.path.stat().st_mode & _OTHERS_MAY_READ:
            yield Finding.warning(
                AREA,
                f"everybody on this machine may read {' and '.join(holds)} in {layer.path}",
                f"chmod o-r {layer.path}, or put secrets into files of their own ({file_setting(holds[0])}).",
            )
