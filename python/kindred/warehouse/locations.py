"""The place of the published warehouse."""

from __future__ import annotations

import os
from pathlib import Path

from kindred.errors import WarehouseError

DEFAULT_WAREHOUSE = Path("warehouse/kindred.duckdb")


def named_warehouse(path: str | Path | None = None) -> Path:
    """Return the published name: the given path, or KINDRED_WAREHOUSE, or warehouse/kindred.duckdb."""
    return Path(path or os.environ.get("KINDRED_WAREHOUSE") or DEFAULT_WAREHOUSE)


def published_file(path: str | Path | None = None) -> Path:
    """Return the real path of the published file.

    The real path is needed because DuckDB would keep serving an older version that the process opened by the published
    name.

    Parameters
    ----------
    path
        The published name, by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb in the working directory.

    Raises
    ------
    WarehouseError
        If nothing is published there.

    """
    name = named_warehouse(path)
    if not name.exists():
        raise WarehouseError(
            f"There is no warehouse at {name}: make one with `make build`, or name another with KINDRED_WAREHOUSE."
        )
    return name.resolve()
