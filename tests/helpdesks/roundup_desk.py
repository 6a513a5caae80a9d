"""`python roundup_desk.py PORT FOLDER`: Roundup's classic tracker with three more properties; admin, password admin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from roundup.cgi.wsgi_handler import RequestDispatcher

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
ADMIN = (sys.executable, "-c", "from roundup.scripts.roundup_admin import run; run()", "-i", str(FOLDER / "tracker"))


def main() -> None:
    mail = "mail_domain=example.com,mail_host=localhost,tracker_email=desk@example.com,admin_email=admin@example.com"
    web = f"tracker_web=http://127.0.0.1:{PORT}/"
    subprocess.run([*ADMIN, "install", "classic", "sqlite", f"{web},{mail}"], check=True, capture_output=True)
    schema = FOLDER / "tracker" / "schema.py"
    text = schema.read_text(encoding="utf-8")
    more = text.replace(
        'status=Link("status"))',
        'status=Link("status"), category=String(), request_type=String(), triage_note=String())',
    )
    assert more != text
    schema.write_text(more, encoding="utf-8")
    subprocess.run([*ADMIN, "initialise", "admin"], check=True, capture_output=True)
    make_server("127.0.0.1", PORT, RequestDispatcher(str(FOLDER / "tracker"))).serve_forever()


if __name__ == "__main__":
    main()
