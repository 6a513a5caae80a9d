"""A model on loopback that answers every ticket after a fixed time: `python -m tests.bench.model LATENCY`.

A process of its own, so that it takes no time from the program that is measured. Prints its URL.
"""

from __future__ import annotations

import asyncio
import json
import sys


async def main(latency: float) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            await asyncio.sleep(latency)
            body = answer(request)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request; empty when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    return await reader.readexactly(length)


def answer(request: bytes) -> bytes:
    question = json.loads(request)["contents"][0]["parts"][0]["text"]
    pair = {"request_category": "Hardware", "request_type": "Mobile Device", "confidence": 0.9, "evidence": "phone"}
    items = [{"id": ticket["id"], **pair} for ticket in json.loads(question.split("\n")[1])]
    text = json.dumps({"items": items})
    usage = {"promptTokenCount": len(request) // 4, "candidatesTokenCount": len(text) // 4}
    content = {"role": "model", "parts": [{"text": text}]}
    return json.dumps({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}).encode()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
