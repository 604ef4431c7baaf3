"""Peerline inside a FastAPI app: the page at /calls/, your API beside it."""

import uvicorn
from fastapi import FastAPI

from peerline.config import Config
from peerline.server import create_app, lifespan

calls = create_app(Config(ice_servers=("stun:localhost:3478",)))
app = FastAPI(lifespan=lambda _: lifespan(calls))
app.mount("/calls", calls)


@app.get("/")
async def home() -> dict[str, str]:
    """A route of your own."""
    return {"calls": "/calls/"}


if __name__ == "__main__":
    uvicorn.run(app, port=8000, ws_per_message_deflate=False)
