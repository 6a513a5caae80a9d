"""A fake Systems Manager for one command: it checks the parameters of a document, fills them in, and runs the script.

Other fakes of AWS report success without running the command. This one runs it in a thread, with `sh` like the real
agent, which need not be bash.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


class Refused(Exception):
    """The name of an error, as AWS returns it."""


@dataclass
class Agent:
    """`run` executes a shell script on the host and waits for it."""

    document: dict[str, Any]
    run: Run
    scripts: list[str] = field(default_factory=list)
    _work: threading.Thread | None = None
    _result: dict[str, Any] = field(default_factory=dict)
    _asked: int = 0

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        values = {name: value[0] for name, value in request["Parameters"].items()}
        known = self.document["parameters"]
        if values.keys() != known.keys():
            raise Refused("InvalidParameters")
        if not all(re.fullmatch(known[name]["allowedPattern"], value) for name, value in values.items()):
            raise Refused("InvalidParameters")
        (step,) = self.document["mainSteps"]
        script = "\n".join(step["inputs"]["runCommand"])
        for name, value in values.items():
            script = script.replace("{{ " + name + " }}", value)
        self.scripts.append(script)
        self._asked = 0
        self._result = {"Status": "InProgress", "StandardOutputContent": "", "StandardErrorContent": ""}
        self._work = threading.Thread(target=self._execute, args=(script,))
        self._work.start()
        return {"Command": {"CommandId": "11111111-2222-3333-4444-555555555555"}}

    def _execute(self, script: str) -> None:
        done = self.run(script)
        self._result = {
            "Status": "Failed" if done.returncode else "Success",
            "StandardOutputContent": done.stdout,
            "StandardErrorContent": done.stderr,
        }

    def ask(self) -> dict[str, Any]:
        """The result of the command. Like the real service, it does not know a new command at the first request."""
        self._asked += 1
        if self._asked == 1:
            raise Refused("InvocationDoesNotExist")
        return self._result

    def end(self) -> None:
        if self._work:
            self._work.join()


@contextmanager
def serving(agent: Agent) -> Iterator[str]:
    """Serve the agent; yields the address for AWS_ENDPOINT_URL_SSM."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                sends = self.headers["X-Amz-Target"].endswith(".SendCommand")
                status, answer = 200, agent.send(request) if sends else agent.ask()
            except Refused as refused:
                status, answer = 400, {"__type": str(refused), "message": "refused"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        agent.end()
