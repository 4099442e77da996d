"""Requests to the app, and checks that hold for every answer."""

import asyncio
from urllib.parse import urlsplit

import httpx

from kindred.api import ApiSettings, create_app

KEY = "open sesame"
NOBODY = 2**53 - 1
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance"}


class Client:
    """Sends requests to an app without a server, one after the other."""

    def __init__(self, app):
        self._app = app

    def request(self, method, path, **content):
        async def send():
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **content)

        return asyncio.run(send())

    def get(self, path, **content):
        return self.request("GET", path, **content)

    def post(self, path, **content):
        return self.request("POST", path, **content)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        # Other tests of the same process open the same file with other settings.
        self._app.state.executor.store.close()


def client_of(warehouse, **settings):
    return Client(create_app(f"duckdb:///{warehouse}", ApiSettings(**settings)))


def got(response, status=200):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def refused(response, status):
    """Return the problem that a request was refused with, after checking what all problems share."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    problem = response.json()
    assert set(problem) == PROBLEM_MEMBERS | ({"errors"} if status == 422 else set())
    assert problem["status"] == status
    assert problem["instance"] == urlsplit(str(response.url)).path
    for word in ("Traceback", ".py", "Error:", "KeyError", "line "):
        assert word not in response.text
    return problem
