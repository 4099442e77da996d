"""Runs the look-ups of the endpoints: slow ones in threads, a limited number at a time."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import HTTPException, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from kindred.api.problems import TOO_MANY_LOOKUPS, VERSION_HEADER
from kindred.lookups import at_one_version
from kindred.stores.base import Reader, Store

Lookup = Callable[[Reader], dict]
"""Reads what is asked for; what it returns becomes JSON."""


class LookupExecutor:
    """Answers look-ups from a store."""

    def __init__(self, store: Store, max_concurrent: int):
        """Take the store, and how many look-ups may wait for a thread or be in one at the same time."""
        self.store = store
        self._max_concurrent = max_concurrent
        self._running = 0
        self._is_quick = False

    async def answer(self, lookup: Lookup, *, is_slow: bool = False) -> Response:
        """Answer with what a look-up finds, as JSON.

        Parameters
        ----------
        lookup
            What to read.
        is_slow
            Whether it takes long even from a quick store.

        Raises
        ------
        HTTPException
            429 if too many are under way.
        StoreError, UnknownUserError
            As the look-up does.

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
        """Answer as `answer` does, but always: a server that is busy is well."""
        return self._read(lookup) if self._is_quick else await run_in_threadpool(self._read, lookup)

    def _read(self, lookup: Lookup) -> Response:
        # The response is made here, since FastAPI would check every part of it anew.
        version, content = at_one_version(self.store, lambda reader: (reader.edition.version, lookup(reader)))
        # The first look-up is never quick: it opens the store, and reads all of one in memory.
        self._is_quick = self.store.is_quick
        body = to_json(content, inf_nan_mode="null")
        return Response(body, headers={VERSION_HEADER: version}, media_type="application/json")
