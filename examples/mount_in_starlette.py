"""Peerline inside your own app: the page at /calls/, your routes beside it."""

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from peerline.config import Config
from peerline.server import create_app, lifespan


async def home(request: Request) -> PlainTextResponse:
    """A route of your own."""
    return PlainTextResponse("Calls are at /calls/\n")


calls = create_app(Config(ice_servers=("stun:localhost:3478",)))
app = Starlette(
    routes=[Route("/", home), Mount("/calls", calls)],
    # A mounted app's lifespan never runs by itself: without this line it would start with the first request
    # and never say goodbye.
    lifespan=lambda _: lifespan(calls),
)

if __name__ == "__main__":
    uvicorn.run(app, port=8000, ws_per_message_deflate=False)
