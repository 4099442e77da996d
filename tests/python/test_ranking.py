"""The best entries of every row of a sparse table."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindred import ranking
from kindred.ranking import best_of_rows


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    lengths=st.lists(st.integers(0, 12), max_size=9),
    k=st.integers(1, 8),
    levels=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_the_best_of_rows_are_those_of_sorting_each(lengths, k, levels, seed):
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    columns = np.concatenate([np.zeros(0, int), *(rng.permutation(30)[:length] for length in lengths)])
    # Few levels, so that many values are equal; some are not above 0.
    values = rng.integers(-1, levels, len(columns)) / 4
    expected = []
    for row, (start, stop) in enumerate(itertools.pairwise(starts)):
        entries = sorted((entry for entry in range(start, stop) if values[entry] > 0),
                         key=lambda entry: (-values[entry], columns[entry]))  # fmt: skip
        expected += [(entry, row, rank) for rank, entry in enumerate(entries[:k])]
    found = best_of_rows(starts, columns, values, k)
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_rows_of_any_length_in_blocks_of_any_size_get_the_same(monkeypatch, block):
    rng = np.random.default_rng(1)
    starts = np.concatenate([[0], np.cumsum(rng.integers(0, 60, 50))])
    columns, values = np.arange(starts[-1]), rng.random(starts[-1])
    expected = [part.tolist() for part in best_of_rows(starts, columns, values, 5)]
    monkeypatch.setattr(ranking, "BLOCK_ROWS", block)
    assert [part.tolist() for part in best_of_rows(starts, columns, values, 5)] == expected
    assert max(expected[2]) == 4
