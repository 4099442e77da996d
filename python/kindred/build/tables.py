"""Read and write large tables of a build in parts, so that only the arrays made from them need memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


PART_ROWS = 500_000
"""Rows read at a time."""

KEPT_GB = 0.5
"""Memory that DuckDB may keep while matrices need the rest."""


@dataclass(frozen=True)
class ListColumn:
    """A column of lists.

    Attributes
    ----------
    lengths
        Integer array of shape (rows,): the length of the list in each row.
    values
        Array of shape (sum of the lengths,): the lists one after another. For lists of records: such arrays by name;
        those can be written but not read.

    """

    lengths: np.ndarray
    values: np.ndarray | Mapping[str, np.ndarray]

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Return the row of every value: an int64 array of the shape of values."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Return the place of every value in its list, from 0: an int64 array of the shape of values."""
        starts: npt.NDArray[np.int64] = np.cumsum(self.lengths) - self.lengths
        return np.arange(len(self.values)) - np.repeat(starts, self.lengths)


def read_parts(table: duckdb.DuckDBPyRelation, rows: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield a table in parts of up to `rows` rows, by default PART_ROWS: arrays by column, a ListColumn for lists.

    Columns may not hold nulls. Read all parts or none: a query that is half read blocks the next one.
    """
    for batch in table.to_arrow_reader(rows or PART_ROWS):
        yield {name: _from_arrow(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}


def in_parts(parts: Iterable[Mapping[str, np.ndarray | pa.Array | ListColumn]]) -> pa.RecordBatchReader:
    """Return a reader from which DuckDB writes a table of one or more parts; it makes each part when it is needed."""
    import pyarrow as pa

    batches = map(_to_arrow, parts)
    first = next(batches)
    return pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))


def free_memory(connection: duckdb.DuckDBPyConnection, limit_gb: float) -> None:
    """Make DuckDB drop cached tables from memory if they take more than KEPT_GB; limit_gb is its memory limit."""
    import duckdb

    kept = connection.sql("select sum(memory_usage_bytes) / 1e9 from duckdb_memory()").fetchall()[0][0]
    if kept > KEPT_GB:
        # Memory that a query is using cannot be freed; it then stays in use.
        with suppress(duckdb.OutOfMemoryException):
            connection.execute(f"set memory_limit = '{KEPT_GB}GB'")
        connection.execute(f"set memory_limit = '{limit_gb}GB'")


def _from_arrow(column: pa.Array) -> np.ndarray | ListColumn:
    import pyarrow as pa

    if not pa.types.is_list(column.type):
        values: np.ndarray = column.to_numpy(zero_copy_only=False)
        return values
    lengths = np.diff(column.offsets.to_numpy())
    return ListColumn(lengths, column.flatten().to_numpy(zero_copy_only=False))


def _to_arrow(part: Mapping[str, np.ndarray | pa.Array | ListColumn]) -> pa.RecordBatch:
    import pyarrow as pa

    def array_of(values: np.ndarray) -> pa.Array:
        # An empty array of texts has no type of its own.
        return pa.array(values, pa.string() if values.dtype == object else None)

    def column(values: np.ndarray | pa.Array | ListColumn) -> pa.Array:
        if isinstance(values, pa.Array):
            return values
        if not isinstance(values, ListColumn):
            return array_of(values)
        starts = pa.array(np.concatenate([[0], np.cumsum(values.lengths)]), pa.int32())
        if isinstance(values.values, Mapping):
            fields = {name: array_of(field) for name, field in values.values.items()}
            return pa.ListArray.from_arrays(starts, pa.StructArray.from_arrays(fields.values(), fields.keys()))
        return pa.ListArray.from_arrays(starts, pa.array(values.values))

    return pa.RecordBatch.from_pydict({name: column(values) for name, values in part.items()})
