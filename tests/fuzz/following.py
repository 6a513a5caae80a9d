"""Fuzz one parser with atheris, which exits by itself: `python -m tests.fuzz.following PARSER [LIBFUZZER OPTION …]`."""

from __future__ import annotations

import logging
import sys

import atheris

with atheris.instrument_imports(include=["ticketattr", "ruamel", "openpyxl"]):
    from .parsers import PARSERS

if __name__ == "__main__":
    program, name, *options = sys.argv
    logging.disable()
    atheris.Setup([program, *options], PARSERS[name].check)
    atheris.Fuzz()
