"""Runs the look-ups of the endpoints: slow ones in threads, a limited number at a time."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import HTTPException, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from kindred.api.problems import VERSION_HEADER
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
        self._under_way = 0
        self._is_quick = False

    async def answer(self, look_up: Lookup, *, is_long: bool = False) -> Response:
        """Answer with what a look-up finds, as JSON.

        Parameters
        ----------
        look_up
            What to read.
        is_long
            Whether it takes long even from a quick store.

        Raises
        ------
        HTTPException
            429 if too many are under way.
        StoreError, UnknownUserError
            As the look-up does.

        """
        if self._is_quick and not is_long:
            return self._read(look_up)
        if self._under_way >= self._max_concurrent:
            raise HTTPException(429, "Too many look-ups are under way; try again in a moment.", {"Retry-After": "1"})
        self._under_way += 1
        try:
            return await run_in_threadpool(self._read, look_up)
        finally:
            self._under_way -= 1

    async def report(self, look_up: Lookup) -> Response:
        """Answer as `answer` does, but always: a server that is busy is well."""
        return self._read(look_up) if self._is_quick else await run_in_threadpool(self._read, look_up)

    def _read(self, look_up: Lookup) -> Response:
        # The response is made here, since FastAPI would check every part of it anew.
        version, content = at_one_version(self.store, lambda reader: (reader.edition.version, look_up(reader)))
        # The first look-up is never quick: it opens the store, and reads all of one in memory.
        self._is_quick = self.store.is_quick
        body = to_json(content, inf_nan_mode="null")
        return Response(body, headers={VERSION_HEADER: version}, media_type="application/json")
