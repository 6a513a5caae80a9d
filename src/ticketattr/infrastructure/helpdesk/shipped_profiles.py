"""Profiles by name, from the package, or by path."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from ...errors import InputError, SettingsError
from ..files import read_bounded
from .profile import Profile
from .profile_yaml import MAX_BYTES, parse_profile

_FOLDER = files(__package__) / "profiles"


def profile_names() -> list[str]:
    """The names of the shipped profiles, in alphabetical order."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


def read_profile(name_or_path: str) -> Profile:
    """The profile of that name, or in the file at that path. Raises SettingsError."""
    if _is_path(name_or_path):
        try:
            return parse_profile(read_bounded(Path(name_or_path), MAX_BYTES), name_or_path)
        except InputError as error:
            raise SettingsError(f"the profile {error}", hint="Check HELPDESK_PROFILE.") from error
    return parse_profile(profile_text(name_or_path).encode(), f"{name_or_path}.yaml")


def profile_text(name: str) -> str:
    """The YAML of a shipped profile. Raises SettingsError if there is none of that name."""
    names = profile_names()
    if name not in names:
        guess = get_close_matches(name, names, n=1)
        advice = f"Did you mean {guess[0]}?" if guess else f"There are {', '.join(names)}, and ./your-own.yaml."
        raise SettingsError(f"there is no profile named {name} (HELPDESK_PROFILE)", hint=advice)
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def _is_path(name_or_path: str) -> bool:
    return "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith((".yaml", ".yml"))
