"""Compare maps of users: how similar near users are, how far apart clusters are, and how far users move.

Run: make build && .venv/bin/python benchmarks/maps.py target/kindred_build.duckdb
Users move between the build and two builds on slightly different data. In one, 1% of the users who viewed anything view
three more courses; in the other, every hundredth row of the files is missing. It takes some minutes, most of them for
the t-SNE of scikit-learn.
"""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from build_time import DBT, copy_project
from changing_data import add_views
from scipy import sparse
from scipy.spatial import cKDTree
from sklearn.decomposition import TruncatedSVD
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from kindred.build.database import open_build
from kindred.graph.layout import spectral_divisions
from kindred.graph.shared_neighbours import read_graph
from kindred.graph.user_map import NEAREST_USERS, map_users, ties_of
from kindred.neighbours.lists import NeighbourLists
from kindred.profiles.matrix import Profiles

TABLES = {
    "int_profiles": "intermediate",
    "int_profile_fingerprints": "intermediate",
    "int_candidates": "intermediate",
    "int_shared_neighbours": "intermediate",
    "user_clusters": "main",
} | {name: "raw" for name in ("course_tags", "user_assessment_scores", "user_course_views", "user_interests")}
FILES = [name for name, schema in TABLES.items() if schema == "raw"]

NEIGHBOURS = 15
MAX_SAMPLED_USERS = 2000
CHANGED_SHARE = 0.01
BLOCK_USERS = 100


@dataclass(frozen=True)
class Platform:
    """The input of the maps and of their measures; rows are users, by handle."""

    users: np.ndarray
    profiles: Profiles
    fingerprints: np.ndarray
    nearest: np.ndarray
    shared: sparse.csr_array
    clusters: np.ndarray


def read_platform(path: Path) -> Platform:
    with open_build(path, TABLES) as (tables, _):
        clusters = tables["user_clusters"].order("user_handle").fetchnumpy()
        users = np.arange(len(clusters["cluster_id"]))
        fingerprints = tables["int_profile_fingerprints"].order("user_number").fetchnumpy()
        return Platform(
            users,
            Profiles.read(tables["int_profiles"], users),
            fingerprints["profile_fingerprint"],
            NeighbourLists.read(tables["int_candidates"], users, NEAREST_USERS).indices,
            read_graph(tables["int_shared_neighbours"], users),
            clusters["cluster_id"],
        )


def svd(platform: Platform) -> np.ndarray:
    """Project profiles on the second and third direction; the first only measures how active a user is."""
    return TruncatedSVD(3, n_iter=20, random_state=0).fit_transform(platform.profiles.matrix)[:, 1:]


def spectral(platform: Platform) -> np.ndarray:
    return spectral_divisions(ties_of(platform.shared.copy(), platform.nearest))


def tsne_of_svd(platform: Platform) -> np.ndarray:
    """Run scikit-learn's t-SNE on 50 directions, a common choice, from its own start by PCA."""
    directions = TruncatedSVD(51, random_state=0).fit_transform(platform.profiles.matrix)[:, 1:]
    return TSNE(random_state=0, n_jobs=1).fit_transform(directions)


def user_map(platform: Platform) -> np.ndarray:
    return map_users(platform.users, platform.shared.copy(), platform.nearest, platform.fingerprints)


METHODS = {
    "SVD of the profiles, 2 directions": svd,
    "spectral, 2 directions of the ties": spectral,
    "t-SNE of 50 directions (scikit-learn)": tsne_of_svd,
    "t-SNE of the ties: user_map": user_map,
}


@click.command(help=__doc__)
@click.argument("build", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(build: Path) -> None:
    before = read_platform(build)
    with tempfile.TemporaryDirectory() as folder:
        others = [read_platform(path) for path in builds_of_other_data(build, Path(folder))]
    sampled = np.sort(np.random.default_rng(0).permutation(len(before.users))[:MAX_SAMPLED_USERS])
    ranks = ranks_by_similarity(before.profiles, sampled)
    rows = []
    for name, method in METHODS.items():
        with threadpool_limits(1):
            start = time.process_time()
            positions = method(before)
            seconds = time.process_time() - start
            moved = [movement(before.users, positions, other.users, method(other)) for other in others]
        near = nearest_on_map(positions)
        is_clustered = before.clusters >= 0
        same = before.clusters[near] == before.clusters[:, None]
        silhouette = silhouette_score(positions[is_clustered], before.clusters[is_clustered])
        rows.append([
            name, f"{trustworthiness(ranks, near[sampled]):.3f}",
            f"{same[is_clustered].mean():.3f}", f"{silhouette:.2f}",
            *(f"{100 * median:.1f}%, {100 * high:.1f}%" for median, high in moved), f"{seconds:.1f}",
        ])  # fmt: skip
    headers = ("map", "trust", "in cluster", "silhouette", "moved by views", "moved by gaps", "cpu_seconds")
    click.echo(tabulate(rows, headers=headers, disable_numparse=True))


def builds_of_other_data(build: Path, folder: Path) -> list[Path]:
    """Build once with more views, and once with missing rows."""
    builds = []
    for name, condition in (("views", "true"), ("gaps", "line_number % 100 > 0")):
        data = folder / f"{name}_data"
        data.mkdir()
        with open_build(build, TABLES) as (tables, _):
            for file in FILES:
                tables[file].filter(condition).order("line_number").select(
                    "* exclude (line_number, read_error)"
                ).write_parquet(str(data / f"{file}.parquet"))
        if name == "views":
            add_views(data, CHANGED_SHARE)
        project = copy_project(folder / name)
        done = subprocess.run(
            [DBT, "build", "--select", "+user_map", "build_info", "--exclude", "resource_type:test",
             "resource_type:unit_test"],
            cwd=project, env={**os.environ, "KINDRED_DATA_DIR": str(data)}, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise click.ClickException(f"dbt build failed:\n{done.stdout[-2000:]}")
        builds.append(project / "target" / "kindred_build.duckdb")
    return builds


def ranks_by_similarity(profiles: Profiles, sampled: np.ndarray) -> np.ndarray:
    """Return the rank of every user by similarity to each sampled user, who has rank 0. Shape (sampled, users)."""
    ranks = np.empty((len(sampled), len(profiles.users)), dtype=np.int32)
    for start in range(0, len(sampled), BLOCK_USERS):
        rows = sampled[start : start + BLOCK_USERS]
        similarity = (profiles.counterparts @ profiles.matrix[rows].T).T.toarray()
        similarity[np.arange(len(rows)), rows] = np.inf
        order = np.argsort(-similarity, axis=1, kind="stable")
        np.put_along_axis(
            ranks[start : start + len(rows)], order, np.arange(similarity.shape[1], dtype=np.int32)[None], 1
        )
    return ranks


def nearest_on_map(positions: np.ndarray) -> np.ndarray:
    """Return the rows of the NEIGHBOURS nearest of each user on the map, without the user."""
    _, near = cKDTree(positions).query(positions, NEIGHBOURS + 1)
    is_self = near == np.arange(len(near))[:, None]
    is_self[~is_self.any(axis=1), -1] = True  # more users than NEIGHBOURS in one place
    return near[~is_self].reshape(len(near), NEIGHBOURS)


def trustworthiness(ranks: np.ndarray, near: np.ndarray) -> float:
    """Compute sklearn.manifold.trustworthiness for sampled users: 1 if the nearest are the most similar."""
    sampled, users = ranks.shape
    intrusion = np.maximum(np.take_along_axis(ranks, near, axis=1) - NEIGHBOURS, 0).sum()
    return 1 - 2 * intrusion / (sampled * NEIGHBOURS * (2 * users - 3 * NEIGHBOURS - 1))


def movement(users: np.ndarray, one: np.ndarray, other_users: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the median and 95th percentile of how far users moved, as shares of the width of the map.

    The width leaves out the outermost 1% on either side.
    """
    _, rows, other_rows = np.intersect1d(users, other_users, return_indices=True)
    moved = np.linalg.norm(one[rows] - other[other_rows], axis=1)
    low, high = np.percentile(one[:, 0], [1, 99])
    return tuple(np.percentile(moved, [50, 95]) / (high - low))


if __name__ == "__main__":
    main()
