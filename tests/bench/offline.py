"""The first answer of the embedded classifier: `python -m tests.bench.offline` prints CPU seconds and peak memory."""

from __future__ import annotations

import json
import time
from pathlib import Path

import anyio

from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.options import HTTPPolicy

CATALOG = Path(__file__).parents[2] / "examples" / "catalog.yaml"

if __name__ == "__main__":
    catalog = YAMLCatalog(str(CATALOG), HTTPPolicy()).fetch_catalog()
    anyio.run(OfflineClassifier().choose, [Ticket("1", "VPN drops all the time")], catalog)
    # Not ru_maxrss: that of a child begins with the memory of its parent.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"seconds": time.process_time(), "peak_mb": peak_mb}))
