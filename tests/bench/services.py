"""All services of a run on loopback: `python -m tests.bench.services LATENCY TICKETS`.

The helpdesk (`/tickets`) and the catalog (`/catalog`) answer at once, the model after LATENCY seconds. A process of its
own, so that it takes no time from the program that is measured. Prints its URL.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

CATALOG = Path(__file__).parents[2] / "examples" / "catalog.yaml"


async def main(latency: float, number: int) -> None:
    known = {b"/tickets": json.dumps(list(map(ticket, range(number)))).encode(), b"/catalog": CATALOG.read_bytes()}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            path, content = request
            if path not in known:
                await asyncio.sleep(latency)
            body = known[path] if path in known else answer(content)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """The path and the body of the next request; None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lines = head.lower().split(b"\r\n")
    lengths = (int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    return head.split(b" ")[1], await reader.readexactly(next(lengths, 0))


def ticket(number: int) -> dict[str, str]:
    return {
        "id": f"T-{number}",
        "short_description": f"Phone number {number} has no signal",
        "long_description": "Since the update this morning. " * 5,
    }


def answer(request: bytes) -> bytes:
    question = json.loads(request)["contents"][0]["parts"][0]["text"]
    pair = {"request_category": "Hardware", "request_type": "Mobile Device", "confidence": 0.9, "evidence": "phone"}
    items = [{"id": ticket["id"], **pair} for ticket in json.loads(question.split("\n")[1])]
    text = json.dumps({"items": items})
    usage = {"promptTokenCount": len(request) // 4, "candidatesTokenCount": len(text) // 4}
    content = {"role": "model", "parts": [{"text": text}]}
    return json.dumps({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}).encode()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), int(sys.argv[2])))
