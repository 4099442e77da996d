"""The settings of the API, which the environment gives."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApiSettings:
    """How the API is served.

    Attributes
    ----------
    api_key
        The key that clients must send (KINDRED_API_KEY); None if they need none.
    cors_origins
        The origins whose pages may call the API from a browser (KINDRED_CORS_ORIGINS, separated by commas); * for all.
    max_concurrent
        How many lookups may run at the same time (KINDRED_MAX_CONCURRENT); further requests are refused with 429.
    max_body_bytes
        How long the body of a request may be, in bytes.

    """

    api_key: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    max_concurrent: int = 64
    max_body_bytes: int = 64 * 1024

    @classmethod
    def from_environment(cls) -> ApiSettings:
        """Read the settings from the environment; an empty variable counts as not set.

        Raises
        ------
        ValueError
            If KINDRED_MAX_CONCURRENT is not a whole number of 1 or more.

        """
        origins = (origin.strip() for origin in os.environ.get("KINDRED_CORS_ORIGINS", "").split(","))
        given = os.environ.get("KINDRED_MAX_CONCURRENT") or str(cls.max_concurrent)
        if not given.isdecimal() or int(given) < 1:
            raise ValueError(f"KINDRED_MAX_CONCURRENT must be a whole number of 1 or more, not {given!r}.")
        return cls(
            api_key=os.environ.get("KINDRED_API_KEY") or None,
            cors_origins=tuple(origin for origin in origins if origin),
            max_concurrent=int(given),
        )
