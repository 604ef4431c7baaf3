"""The ASGI app mounted below a prefix in somebody else's Starlette app, under plain uvicorn."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from peerline.config import load_config
from peerline.server import create_app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--database")
    parser.add_argument("--prefix", required=True)
    arguments = parser.parse_args()
    flags = {"database": arguments.database, "data_dir": arguments.config.parent}
    config = load_config(arguments.config, {}, flags)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", arguments.port))
    listener.listen(128)
    print(f"http://localhost:{listener.getsockname()[1]}", flush=True)
    app = Starlette(routes=[Mount(arguments.prefix, app=create_app(config))])
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run([listener])


if __name__ == "__main__":
    main()
