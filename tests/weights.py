"""What the program and each extra take on disk, against docs/reference/extras.md: `nox -s weights`.

`python -m tests.weights [--write]`, with uv on the path. Counted are the packages with their byte code, in megabytes of
a million bytes, without what the base install has already. More than a tenth off fails, and so does a base above 95.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "extras.md"
_LARGEST_BASE = 95
_SHARE, _ROUNDING = 0.1, 1


def stated() -> dict[str, int]:
    """The megabytes of each extra, as the page says; those of the base install are under an empty name."""
    rows = re.findall(r"^\| (?:`(\w+)`|base) \|.*\| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(megabytes) for name, megabytes in rows}


def measured(extra: str) -> int:
    """The bytes of an installation with this extra."""
    with TemporaryDirectory() as folder:
        subprocess.run(["uv", "venv", "--quiet", f"--python={sys.executable}", folder], check=True)
        package = f"{ROOT}[{extra}]" if extra else str(ROOT)
        install = ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--link-mode=copy")
        subprocess.run([*install, f"--python={folder}/bin/python", package], check=True)
        return sum(path.lstat().st_size for path in Path(folder).rglob("*") if path.is_file())


def main() -> None:
    """Exit with a message if a figure is off, or write the figures with `--write`."""
    base = measured("")
    found = {name: round((measured(name) - base) / 1e6) if name else round(base / 1e6) for name in stated()}
    print("\n".join(f"{name or 'base':10} {found[name]:5} MB, stated {said}" for name, said in stated().items()))
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        for name, megabytes in found.items():
            row = f"`{name}`" if name else "base"
            text = re.sub(rf"^(\| {row} \|.*\|) \d+ \|$", rf"\1 {megabytes} |", text, flags=re.MULTILINE)
        PAGE.write_text(text, encoding="utf-8")
    off = [name for name, said in stated().items() if abs(found[name] - said) > max(_ROUNDING, _SHARE * said)]
    if off or found[""] > _LARGEST_BASE:
        raise SystemExit(f"{PAGE.name} is more than a tenth off for {off}, or the base is above {_LARGEST_BASE} MB")


if __name__ == "__main__":
    main()
