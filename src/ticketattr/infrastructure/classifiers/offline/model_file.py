"""The file of what was learned: data, not code, and bound to the classifier and to the catalog that it was made for.

    ticketattr-model 1        the kind and the version of the format
    <SHA-256 of all that follows>
    <length of the header>
    <the header with the card, as JSON>
    <arrays, as an .npz without pickled objects>

The digest finds files that were cut or changed by accident. It is no signature: who can write the file can write
another one.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from ....domain.calibration import Calibration
from ....domain.catalog import ServiceCatalog
from ....domain.learning import ModelCard, Pair, digest_of_words
from ....domain.ticket import Ticket
from ....errors import InputError
from ...files import output, read_bounded
from ...json_text import dump_json, parse_json
from .features import WORD_DIMENSIONS, Features
from .learned import Kernel, Learned, Mix
from .sentence_vectors import DIMENSIONS

FORMAT = b"ticketattr-model 1\n"
MAX_BYTES = 256 * 1024 * 1024
_AGAIN = "Make it again with `ticketattr learn`."
_SHARE_KNOWN = 0.5
"""The part of the learned request types that the catalog must have at least for the model to be used."""

_PER_BYTE = 127.0

_INVALID = (ValueError, TypeError, KeyError, EOFError, MemoryError, RuntimeError, BadZipFile, zlib.error)
"""What pydantic, zipfile and numpy raise for content that is damaged, or was made to be."""


@dataclass(frozen=True, slots=True)
class _Header:
    """`pairs` are the columns of the weights. `known` and `learned` are the weights of the mix."""

    classifier_version: int
    pairs: tuple[Pair, ...]
    known: float
    learned: float
    calibration: tuple[float, float] | None
    card: ModelCard


_HEADER = TypeAdapter(_Header)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What was learned, its card, and the SHA-256 of the file's content. `name` is the name of the file.

    `seen` are the digests of the tickets that it was learned from.
    """

    name: str
    learned: Learned
    card: ModelCard
    digest: str
    seen: frozenset[int]

    def has_learned(self, ticket: Ticket) -> bool:
        """Returns whether it was learned from a ticket with the same words."""
        return digest_of_words(ticket) in self.seen

    def fitting(self, catalog: ServiceCatalog) -> Learned:
        """Returns what was learned. Raises InputError if the catalog has few of the request types.

        Request types that are new in the catalog are known by its texts; those that it lost are not chosen.
        """
        taught = [pair for pair in self.learned.pairs if " / ".join(pair) in self.card.types]
        lost = [" / ".join(pair) for pair in taught if not catalog.find(*pair)]
        if len(lost) > (1 - _SHARE_KNOWN) * len(taught):
            raise InputError(
                f"{self.name} was learned for another catalog: {len(lost)} of its {len(taught)} request types are not "
                f"in the catalog, such as {lost[0]}",
                hint="Check SERVICE_CATALOG_URL, or learn again; `learn --rename OLD=NEW` maps renamed types.",
            )
        return self.learned


def write_model(path: Path, learned: Learned, card: ModelCard, seen: Collection[int], *, version: int) -> int:
    """Writes the file whole or not at all, and returns its size in bytes. Raises SettingsError or ServiceError.

    `seen` are the digests of the tickets, `version` is that of the classifier.
    """
    mix = learned.mix
    curve = (mix.calibration.slope, mix.calibration.offset) if mix.calibration else None
    header = _HEADER.dump_python(_Header(version, learned.pairs, mix.known, mix.learned, curve, card), mode="json")
    content = dump_json(header)
    body = str(len(content)).encode() + b"\n" + content + _packed(learned, seen)
    head = FORMAT + hashlib.sha256(body).hexdigest().encode() + b"\n"
    with output(path) as file:
        file.write(head + body)
    return len(head) + len(body)


def read_model(path: Path, *, version: int) -> ModelFile:
    """Returns the content of the file. Raises InputError if it is no model, damaged, or of another version.

    `version` is that of the classifier.
    """
    body, digest = _checked(read_bounded(path, MAX_BYTES), path)
    try:
        length, _, rest = body.partition(b"\n")
        header = _HEADER.validate_python(parse_json(rest[: int(length)], str(path)))
        _refuse_other_version(header.classifier_version, version, path)
        learned, seen = _unpacked(rest[int(length) :], header)
        return ModelFile(str(path), learned, header.card, digest, seen)
    except _INVALID as error:
        raise InputError(f"{path} is not a valid model", hint=_AGAIN) from error


def _checked(content: bytes, path: Path) -> tuple[bytes, str]:
    """Returns what follows the digest, and the digest."""
    if not content.startswith(b"ticketattr-model "):
        raise InputError(f"{path} is not a model of `ticketattr learn`", hint="Name the file that `learn` wrote.")
    if not content.startswith(FORMAT):
        raise InputError(f"{path} has the format of another version of ticketattr", hint=_AGAIN)
    digest, _, body = content[len(FORMAT) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise InputError(
            f"{path} was cut or changed after it was written: its checksum differs",
            hint="Copy it again, or make it again with `ticketattr learn`.",
        )
    return body, digest.decode()


def _refuse_other_version(found: int, version: int, path: Path) -> None:
    if found != version:
        raise InputError(
            f"{path} was learned with version {found} of the embedded classifier, and this is version {version}",
            hint=_AGAIN,
        )


def _packed(learned: Learned, seen: Collection[int]) -> bytes:
    arrays: dict[str, NDArray[Any]] = {
        "mean": learned.kernel.mean,
        "weights": learned.weights.astype(np.float16),
        "seen": np.array(sorted(set(seen)), dtype=np.uint64),
    }
    for name in ("meaning", "words"):
        rows = getattr(learned.kernel.landmarks, name)
        scale = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 1e-6) / _PER_BYTE
        arrays |= {name: np.round(rows / scale[:, None]).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _unpacked(content: bytes, header: _Header) -> tuple[Learned, frozenset[int]]:
    """Returns what was learned, and from which tickets.

    Raises ValueError, KeyError or BadZipFile if the arrays do not belong together.
    """
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError("the arrays are too large")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        meaning, words = (
            stored[name].astype(np.float32) * stored[f"{name}_scale"].astype(np.float32)[:, None]
            for name in ("meaning", "words")
        )
        mean, weights = stored["mean"].astype(np.float32), stored["weights"].astype(np.float32)
        seen = frozenset(stored["seen"].astype(np.uint64).tolist())
    count = len(weights)
    shapes = (meaning.shape, words.shape, mean.shape, weights.shape)
    if shapes != ((count, DIMENSIONS), (count, WORD_DIMENSIONS), (DIMENSIONS,), (count, len(header.pairs))):
        raise ValueError(f"arrays of the shapes {shapes}")
    if not all(np.isfinite(array).all() for array in (meaning, words, mean, weights)):
        raise ValueError("numbers that are not finite")
    mix = Mix(header.known, header.learned, Calibration(*header.calibration) if header.calibration else None)
    return Learned(Kernel(mean, Features(meaning, words)), weights, header.pairs, mix), seen
