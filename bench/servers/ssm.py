"""A stub of SSM with one parameter, which it gives whatever name is asked for.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
Run: `python ssm.py --latency SECONDS`; it prints its URL once it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final

import msgspec
import uvloop
from aiohttp import web

VALUE: Final = "foobar"


async def serve(latency: float) -> None:
    """Serve until a signal ends it. latency: seconds before each answer."""

    async def answer(request: web.Request) -> web.Response:
        name = msgspec.json.decode(await request.read())["Name"]
        await asyncio.sleep(latency)
        parameter = {"Name": name, "Type": "SecureString", "Value": VALUE, "Version": 1}
        return web.json_response({"Parameter": parameter}, content_type="application/x-amz-json-1.1")

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    sys.stdout.write(f"http://{host}:{port}/\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description="A stub of SSM with one parameter.")
    parser.add_argument("--latency", type=float, default=0.01)
    uvloop.run(serve(parser.parse_args().latency))


if __name__ == "__main__":
    main()
