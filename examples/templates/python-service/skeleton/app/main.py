"""What the service answers. Uvicorn runs it, and finishes the requests in flight when it is asked to stop."""

import os
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from app.log import configure

log = configure()
app = FastAPI(title="${{ values.name }}")


class Greeting(BaseModel):
    message: str


@app.middleware("http")
async def log_requests(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    began = time.perf_counter()
    response = await call_next(request)
    fields = {
        "method": request.method,
        "path": request.url.path,
        "status": response.status_code,
        "ms": round((time.perf_counter() - began) * 1000),
        "requestId": request.headers.get("x-request-id"),
    }
    log.info("request", extra={"fields": fields})
    return response


@app.get("/")
def about() -> dict[str, str]:
    return {"service": "${{ values.name }}", "release": os.environ.get("PAVIOR_RELEASE", "local")}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/hello")
def hello(name: str = "world") -> Greeting:
    return Greeting(message=f"Hello, {name}.")
