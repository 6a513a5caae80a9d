"""Check of the settings: each with its value and source, and what is missing, wrong or unknown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator

from ...application.check import CheckResult
from ...errors import ExitCode, TicketAttrError
from ...infrastructure.extras import install_hint
from ...infrastructure.network.service_words import know_secrets
from .environment import Environment, SettingSpec
from .masking import MASK, masked_value
from .names import SECTIONS, known_settings
from .unknown_settings import cut_settings, unknown_settings
from .values import Values, file_setting

AREA = "settings"

_NAME = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bCLASSIFIER\b")

_OTHERS_MAY_READ = 0o004
_SET_IT = "Set it in the environment or in .env (see .env.example)."


def probe_settings(values: Values, *, everything: bool) -> Iterator[CheckResult]:
    """One result for each setting that is set, or for every setting (`everything`), and one for each problem."""
    env = Environment(values)
    problems = [result for read in SECTIONS for result in _refusals(env, values, read)]
    know_secrets(env.secrets, env.personal)
    problems += [_missing(name) for name in dict.fromkeys(env.missing)]
    problems += [_wrong(problem, values) for problem in dict.fromkeys(env.wrong)]
    problems += [
        CheckResult(AREA, problem, "error", install_hint(extra), ExitCode.USAGE)
        for problem, extra in env.lacks_extra.items()
    ]
    at_fault = {name for problem in problems for name in _NAME.findall(problem.message)}
    yield from _listed(env, values, at_fault, everything=everything)
    yield from problems
    for unknown in unknown_settings(values):
        yield CheckResult.warning(AREA, unknown.what, unknown.fix)
    for what in cut_settings(values):
        yield CheckResult.warning(AREA, what, "Put the value into quotation marks, or the comment on its own line.")
    yield from _exposed_secrets(values)


def _refusals(env: Environment, values: Values, read: Callable[[Environment], object]) -> Iterator[CheckResult]:
    try:
        read(env)
    except TicketAttrError as error:
        yield CheckResult.error(AREA, error) if error.hint else _wrong(str(error), values)


def _missing(name: str) -> CheckResult:
    return CheckResult(AREA, f"{name} is not set", "error", f"{_SET_IT} `ticketattr init` asks for it.", ExitCode.USAGE)


def _wrong(problem: str, values: Values) -> CheckResult:
    """An error for `problem`, which begins with the name of the setting."""
    name = next(iter(_NAME.findall(problem)), "")
    if problem.startswith(f"{name}: "):
        fix = f"Put the secret into that file, or another path into {name} ({values.source(name)})."
    elif source := values.source(name) or values.source(name, is_secret=True):
        fix = f"Correct it ({source})."
    else:
        fix = _SET_IT
    return CheckResult(AREA, problem, "error", fix, ExitCode.USAGE)


def _listed(env: Environment, values: Values, at_fault: Container[str], *, everything: bool) -> Iterator[CheckResult]:
    left_out = 0
    for name, known in known_settings().items():
        if name in at_fault or file_setting(name) in at_fault:
            continue
        spec = env.specs.get(name)
        origin = values.source(name, is_secret=known.is_secret)
        if origin or everything:
            yield CheckResult(AREA, _line(name, spec or known, origin, values) + ("" if spec else ", not used"))
        else:
            left_out += 1
    if left_out:
        yield CheckResult(AREA, f"{left_out} more have their defaults (-v lists them)")


def _line(name: str, spec: SettingSpec, origin: str, values: Values) -> str:
    if not origin:
        return f"{name} = {spec.default or '(empty)'} (default)"
    value = MASK if spec.is_secret else masked_value(name, values.text(name).strip())
    return f"{name} = {value} ({origin})"


def _exposed_secrets(values: Values) -> Iterator[CheckResult]:
    secrets = [name for name, known in known_settings().items() if known.is_secret]
    for source in values.sources:
        holds = [name for name in secrets if source.values.get(name, "").strip()]
        if holds and source.path and os.name != "nt" and source.path.stat().st_mode & _OTHERS_MAY_READ:
            yield CheckResult.warning(
                AREA,
                f"everybody on this machine may read {' and '.join(holds)} in {source.path}",
                f"chmod o-r {source.path}, or put the secrets in separate files ({file_setting(holds[0])}).",
            )
