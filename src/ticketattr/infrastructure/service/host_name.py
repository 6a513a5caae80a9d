"""The name of this host among those that share a database."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from ..files import make_folder, replacing, unreadable


def host_name(folder: Path) -> str:
    """The name of this machine and a number of `folder`, which has the processes of runs and stays the same.

    Two machines with one name, or two folders of one machine, are two hosts: none looks for the runs of the other.
    """
    path = folder / "host-id"
    try:
        number = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        number = secrets.token_hex(3)
        make_folder(folder)
        with replacing(path) as file:
            file.write(f"{number}\n".encode())
    except (OSError, ValueError) as error:
        raise unreadable(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    return f"{socket.gethostname()}-{number}"
