"""The benchmark against peers, as far as it runs without them: profiles, recall, scaling, ratios, tables."""

import sys

import numpy as np
import pandas as pd
import pytest
from project import ROOT
from scipy import sparse

sys.path.insert(0, str(ROOT / "benchmarks"))

import peer_methods
import peers
import synthetic_profiles as module
from peer_methods import METHODS, best_of_block, lists_of, without_self
from synthetic_profiles import synthetic_profiles

from kindred.neighbours.top_k import top_k


@pytest.fixture(scope="module")
def profiles():
    return synthetic_profiles(2000, seed=3)


def results(*rows):
    names = ("users", "method", "round", "rows", "cpu_seconds")
    rest = {"wall_seconds": 1.0, "extra_memory_mb": 10.0, "recall": 1.0, "k": 20, "threads": 2, "version": "1"}
    return pd.DataFrame([dict(zip(names, row, strict=True)) | rest | {"machine": "one"} for row in rows])


# --- profiles --------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_profiles(profiles):
    again, other = synthetic_profiles(2000, seed=3), synthetic_profiles(2000, seed=4)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(profiles, name), getattr(again, name))
    assert (profiles != other).nnz > 0


def test_profiles_have_the_form_that_methods_expect(profiles):
    assert profiles.shape == (2000, module.FEATURES)
    assert (profiles.data.dtype, profiles.indices.dtype, profiles.indptr.dtype) == (np.float32, np.int32, np.int32)
    assert profiles.has_canonical_format
    assert profiles.data.min() > 0
    np.testing.assert_allclose(np.sqrt((profiles.toarray() ** 2).sum(axis=1)), 1, atol=1e-5)


def test_profiles_have_the_shape_of_full_size_data():
    drawn = synthetic_profiles(10_000)
    features, users = np.diff(drawn.indptr), np.bincount(drawn.indices).astype(float)
    assert drawn.nnz / 10_000 == pytest.approx(66, abs=3)
    assert np.median(features) < 0.8 * features.mean()
    assert 0.3 < users.max() / 10_000 < 0.5
    assert (users**2).sum() == pytest.approx(3.7e8, rel=0.1)


def test_the_first_users_of_many_are_those_of_few(monkeypatch, profiles):
    few = synthetic_profiles(50, seed=3)
    np.testing.assert_array_equal(few.indices, profiles.indices[: few.nnz])
    monkeypatch.setattr(module, "CHUNK_USERS", 20)
    several_chunks = synthetic_profiles(50, seed=3, features=7)
    assert several_chunks.shape == (50, 7)
    assert (np.diff(several_chunks.indptr) > 0).all()


# --- lists -----------------------------------------------------------------------------------------------------------


def test_the_best_of_a_block_leave_out_the_row_itself():
    scores = np.array([[1.0, 0.2, 0.9, 0.5], [0.1, 0.3, 0.2, 1.0]])
    assert best_of_block(scores, np.array([0, 3]), 2).tolist() == [[2, 3], [1, 2]]


def test_a_row_is_removed_from_its_list_at_any_place():
    found = np.array([[5, 0, 7], [1, 5, 7], [5, 6, 7], [2, 3, -1]])
    assert without_self(found, np.array([0, 1, 2, 3]), 2).tolist() == [[5, 7], [5, 7], [5, 6], [2, -1]]


def test_rows_of_a_matrix_become_lists():
    found = sparse.csr_matrix((np.array([0.9, 0.5, 0.3]), np.array([2, 0, 1]), np.array([0, 2, 2, 3])), shape=(3, 3))
    assert lists_of(found, 2).tolist() == [[2, 0], [-1, -1], [1, -1]]


@pytest.mark.parametrize("name", ["kindred", "scipy", "cosine_similarity", "nearest_neighbors", "duckdb"])
def test_methods_that_need_no_extra_find_what_is_exact(tmp_path, name, profiles):
    peer_methods.save_profiles(profiles, tmp_path)
    rows = np.array([1999, 3, 700])
    exact = peers.exact_scores(profiles, rows, 5)
    loaded = peer_methods.load_profiles(tmp_path)
    search = METHODS[name].start(loaded, 5, 1)
    assert peers.recall(profiles, rows, exact, search(rows)) == 1
    assert peers.recall(profiles, rows, exact, search(np.arange(2000))[rows]) == 1


# --- recall ----------------------------------------------------------------------------------------------------------


def test_exact_scores_are_those_of_top_k(profiles):
    rows = np.arange(100, 300)
    np.testing.assert_allclose(peers.exact_scores(profiles, rows, 5)[:, ::-1], top_k(profiles, 5)[1][rows], atol=1e-12)


def test_recall_counts_each_neighbour_once_and_never_the_row_itself():
    # Rows 1 and 2 are equal to 0, and 3 is less similar; 4 has no neighbours.
    profiles = sparse.csr_array(np.array([[1.0, 0, 0], [1, 0, 0], [2, 0, 0], [1, 1, 0], [0, 0, 1]]))
    rows = np.array([0, 4])
    exact = peers.exact_scores(profiles, rows, 2)

    def found(*lists):
        return peers.recall(profiles, rows, exact, np.array(lists))

    assert found([1, 2], [-1, -1]) == 1
    assert found([1, 3], [-1, -1]) == 0.5
    assert found([1, 1], [-1, -1]) == 0.5
    assert found([0, 1], [-1, -1]) == 0.5
    assert found([1, -1], [0, 1]) == 0.5


def test_any_of_equal_neighbours_counts():
    profiles = sparse.csr_array(np.ones((4, 1)))
    exact = peers.exact_scores(profiles, np.array([0]), 2)
    assert peers.recall(profiles, np.array([0]), exact, np.array([[3, 2]])) == 1


# --- figures ---------------------------------------------------------------------------------------------------------


def test_scaling_leaves_out_the_start():
    assert peers.scaled(start=3.0, search=2.0, scale=50.0) == 103.0


def test_growth_is_the_power_of_the_number_of_users():
    assert peers.growth(2.0, 200.0, 10) == pytest.approx(2)
    assert peers.growth(2.0, 20.0, 10) == pytest.approx(1)


def test_new_runs_replace_runs_of_the_same_size_and_method():
    old = results(
        (10_000, "kindred", 1, 10_000, 5.0), (10_000, "kindred", 2, 10_000, 5.0), (30_000, "scipy", 1, 9, 7.0)
    )
    new = results((10_000, "kindred", 1, 10_000, 1.0), (10_000, "scipy", 1, 10_000, 2.0))
    found = peers.merged(old, new)
    assert found[["users", "method", "cpu_seconds"]].to_numpy().tolist() == [
        [10_000, "kindred", 1.0],
        [10_000, "scipy", 2.0],
        [30_000, "scipy", 7.0],
    ]


def test_ratios_are_of_medians():
    runs = [(10_000, "kindred", turn, 10_000, cost) for turn, cost in enumerate((1.0, 9.0, 2.0), start=1)]
    figures = peers.medians(
        results(*runs, (10_000, "implicit", 1, 10_000, 9.0), (10_000, "sparse_dot_topn", 1, 9, 5.0))
    )
    rows = {row[:2]: row[3:] for row in peers.aim_rows(figures)}
    assert rows["10,000", "implicit"] == ("4.5 times", "reached")
    assert rows["10,000", "sparse_dot_topn"] == ("2.5 times", "missed")
    assert rows["100,000", "sparse_dot_topn"] == ("not run", "")
    assert rows["100,000 to 1,000,000", "its own growth"] == ("not run", "")


def test_growth_is_compared_with_its_aim():
    figures = peers.medians(results((100_000, "kindred", 1, 9, 10.0), (1_000_000, "kindred", 1, 9, 1000.0)))
    assert peers.aim_rows(figures)[-1][3:] == ("power 2.00", "missed")


def test_tables_are_written_between_the_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- peers -->\nold\n<!-- /peers -->\nafter\n")
    figures = peers.medians(results((30_000, "kindred", 1, 30_000, 1.0), (30_000, "faiss", 1, 2000, 1234.5)))
    peers.write_page(figures, page)
    written = page.read_text()
    assert written.startswith("before\n<!-- peers -->\n### 30,000 users")
    assert written.endswith("<!-- /peers -->\nafter\n")
    assert "| **kindred top_k** | 1.00 | 1.0 | 1.00 | 10 | 1.000 | 1 |" in written
    assert "| faiss IndexFlatIP | 1,234* | 1234.5 | 1.00* | 10 | 1.000 | 1 |" in written
    assert "scaled to all rows" in written
    assert "old" not in written


@pytest.mark.parametrize(("value", "shown"), [(0.8312, "0.83"), (12.34, "12.3"), (175.2, "175"), (1692.4, "1,692")])
def test_numbers_have_three_digits(value, shown):
    assert peers.number(value) == shown


def test_labels_are_moved_apart_as_little_as_needed():
    assert peers.spread([0.0, 5.0], 1.0) == [0.0, 5.0]
    assert peers.spread([1.0, 1.0, 1.0, 9.0], 1.0) == [0.0, 1.0, 2.0, 9.0]
