"""Generate a synthetic platform of any number of users, as the four files that Kindred reads.

The sample depends only on the number of users and the seed: with the same numpy and pyarrow releases, the same pair
gives the same bytes. Users are drawn in chunks of CHUNK_USERS, each with its own random streams, so that memory does
not grow with their number. The catalogue grows with the number of users, and so do the courses that users view. The
topics, interests and assessments of a full chunk are the same in every larger sample.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from kindred.errors import SampleError
from kindred.sample.activity import draw_assessments, draw_interests, draw_views
from kindred.sample.catalogue import draw_catalogue
from kindred.sample.formats import FILE_FORMATS
from kindred.sample.handles import USER_HANDLES, with_text_handles
from kindred.sample.platform import SCHEMAS
from kindred.sample.users import draw_users

CHUNK_USERS = 10_000

FILE_NAMES = tuple(name for name in SCHEMAS if name != "truth")


class Chunk(NamedTuple):
    """Part of a sample: the number of its users, and their rows of some of the tables in `SCHEMAS`."""

    users: int
    tables: dict[str, pa.Table]


def generate(users: int, seed: int) -> Iterator[Chunk]:
    """Yield a sample in chunks: first `course_tags`, with no users, then the other tables for consecutive users.

    Their rows are in the order of the user handle (1 to `users`), then of time. `SCHEMAS` gives columns and types;
    `truth` holds each user's latent topics, with shares that sum to 1.

    Raises ValueError if `users` is less than 1 or `seed` is negative.
    """
    if users < 1:
        raise ValueError(f"users must be at least 1, not {users}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")
    return _chunks(users, seed)


def _chunks(users: int, seed: int) -> Iterator[Chunk]:
    catalogue = draw_catalogue(_stream(seed, 0), users)
    yield Chunk(0, {"course_tags": catalogue.course_tags})
    for number, before in enumerate(range(0, users, CHUNK_USERS), start=1):
        batch = draw_users(_stream(seed, number, 0), before + 1, min(CHUNK_USERS, users - before))
        yield Chunk(
            len(batch),
            {
                "user_assessment_scores": draw_assessments(_stream(seed, number, 1), batch),
                "user_course_views": draw_views(_stream(seed, number, 2), batch, catalogue),
                "user_interests": draw_interests(_stream(seed, number, 3), batch),
                "truth": batch.truth(),
            },
        )


def _stream(seed: int, *key: int) -> np.random.Generator:
    # PCG64 by name: numpy may change its default generator.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def tables(users: int, seed: int) -> dict[str, pa.Table]:
    """Return a whole sample in memory: a table for each name in `SCHEMAS`, including `truth`.

    For small samples: it takes about 10 kB a user. Raises ValueError as `generate` does.
    """
    parts: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}
    for chunk in generate(users, seed):
        for name, table in chunk.tables.items():
            parts[name].append(table)
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


def write(
    users: int,
    seed: int,
    directory: Path,
    file_format: str,
    truth_path: Path | None = None,
    progress: Callable[[int], object] = lambda users: None,
    handles: str = "number",
) -> dict[str, int]:
    """Write a sample as four files in `directory` and return the number of rows of each table written.

    `file_format` is one of FILE_FORMATS. If `truth_path` is given, the latent topics are written to it as CSV. Missing
    directories are created. Existing files of the same names are replaced once all new ones are complete: until then
    the new ones are in a hidden directory beside them, which is removed if the run is interrupted. `progress` is called
    with the number of users in each chunk that is done. `handles` is one of HANDLE_FORMS: with "uuid" and "email",
    users are such texts, and authors are names.

    Raises SampleError if `directory` holds one of the tables in the other format (the build would then have two inputs
    to choose from) or if `truth_path` is the file of a table, ValueError as `generate` does, and OSError.
    """
    paths = {name: directory / f"{name}.{file_format}" for name in FILE_NAMES}
    _refuse_other_formats(directory, file_format)
    if truth_path is not None:
        _refuse_table_name(directory, truth_path)
        paths["truth"] = truth_path
    chunks = generate(users, seed)

    of_user = USER_HANDLES.get(handles)
    rows = dict.fromkeys(paths, 0)
    with ExitStack() as scratch:
        unfinished: dict[str, Path] = {}
        for folder in {path.parent for path in paths.values()}:
            folder.mkdir(parents=True, exist_ok=True)
            hidden = scratch.enter_context(tempfile.TemporaryDirectory(prefix=".kindred-sample-", dir=folder))
            unfinished |= {name: Path(hidden, path.name) for name, path in paths.items() if path.parent == folder}
        with ExitStack() as files:
            writers = {name: files.enter_context(_Writer(path, name, of_user)) for name, path in unfinished.items()}
            for chunk in chunks:
                for name in writers.keys() & chunk.tables.keys():
                    writers[name].write(chunk.tables[name])
                    rows[name] += chunk.tables[name].num_rows
                progress(chunk.users)
        for name, path in unfinished.items():
            os.replace(path, paths[name])
    return rows


def _refuse_other_formats(directory: Path, file_format: str) -> None:
    for name in FILE_NAMES:
        for other in FILE_FORMATS:
            path = directory / f"{name}.{other}"
            if other != file_format and path.exists():
                raise SampleError(f"{path} conflicts with {name}.{file_format}: remove it or choose another folder.")


def _refuse_table_name(directory: Path, truth_path: Path) -> None:
    reserved = {(directory / f"{name}.{suffix}").resolve() for name in FILE_NAMES for suffix in FILE_FORMATS}
    if truth_path.resolve() in reserved:
        raise SampleError(f"{truth_path} is one of the sample's own files: choose another name for the truth.")


class _Writer:
    """A file for tables of one name: CSV or Parquet, by its suffix (`truth` is always CSV)."""

    def __init__(self, path: Path, name: str, of_user: Callable[[int], str] | None):
        self._of_user = of_user
        self._schema = SCHEMAS[name]
        if of_user is not None:
            self._schema = with_text_handles(self._schema.empty_table(), of_user).schema
        if name != "truth" and path.suffix == ".parquet":
            self._file = pyarrow.parquet.ParquetWriter(path, self._schema)
        else:
            # Whole seconds, because the CSV would otherwise show six digits after the point.
            self._schema = pa.schema(
                field.with_type(pa.timestamp("s")) if pa.types.is_timestamp(field.type) else field
                for field in self._schema
            )
            self._file = pyarrow.csv.CSVWriter(path, self._schema)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def write(self, table: pa.Table) -> None:
        if self._of_user is not None:
            table = with_text_handles(table, self._of_user)
        self._file.write_table(table.cast(self._schema))
