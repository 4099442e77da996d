"""What the environment says of how the API is served."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApiSettings:
    """How the API is served.

    Attributes
    ----------
    api_key
        What a client must send (KINDRED_API_KEY); None where anybody may ask.
    cors_origins
        The origins whose pages may ask from a browser (KINDRED_CORS_ORIGINS, separated by commas); * for all of them.
    max_concurrent
        How many look-ups may be under way at the same time (KINDRED_MAX_CONCURRENT); who comes then is sent away.
    max_body_bytes
        How long the body of a request may be.

    """

    api_key: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    max_concurrent: int = 64
    max_body_bytes: int = 64 * 1024

    @classmethod
    def from_environment(cls) -> ApiSettings:
        """Read the settings from the environment; what is empty there counts as not set.

        Raises
        ------
        ValueError
            If KINDRED_MAX_CONCURRENT is no whole number of 1 or more.

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
