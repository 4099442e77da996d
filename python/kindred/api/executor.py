"""Runs the lookups of the endpoints: slow ones in threads, and a limited number at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from kindred.api.problems import TOO_MANY_LOOKUPS, VERSION_HEADER
from kindred.lookups import at_one_version
from kindred.stores.base import Reader, Store

Lookup = Callable[[Reader], dict[str, Any]]
"""Reads the answer to a request, which becomes JSON."""


class LookupExecutor:
    """Answers lookups from a store."""

    def __init__(self, store: Store, max_concurrent: int):
        """Take the store, and how many lookups may wait for a thread or run in one at the same time."""
        self.store = store
        self._max_concurrent = max_concurrent
        self._running = 0
        self._is_quick = False

    async def answer(self, lookup: Lookup, *, is_slow: bool = False) -> Response:
        """Answer with the result of a lookup, as JSON.

        Parameters
        ----------
        lookup
            The lookup.
        is_slow
            Whether it is slow even in a quick store.

        Raises
        ------
        HTTPException
            429 if too many lookups are running.
        StoreError, UnknownUserError
            If the lookup raises it.

        """
        if self._is_quick and not is_slow:
            return self._read(lookup)
        if self._running >= self._max_concurrent:
            raise HTTPException(429, TOO_MANY_LOOKUPS, {"Retry-After": "1"})
        self._running += 1
        try:
            return await run_in_threadpool(self._read, lookup)
        finally:
            self._running -= 1

    async def report(self, lookup: Lookup) -> Response:
        """Answer as `answer` does, but never with 429: a busy server is still healthy."""
        return self._read(lookup) if self._is_quick else await run_in_threadpool(self._read, lookup)

    def _read(self, lookup: Lookup) -> Response:
        # The response is made here, because FastAPI would validate every part of it again.
        version, content = at_one_version(self.store, lambda reader: (reader.edition.version, lookup(reader)))
        # The first lookup is never quick: it opens the store, and a store in memory reads everything.
        self._is_quick = self.store.is_quick
        body = to_json(content, inf_nan_mode="null")
        return Response(body, headers={VERSION_HEADER: version}, media_type="application/json")
