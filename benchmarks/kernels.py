"""Time the kernels of top_k side by side on the profiles of a build, for growing numbers of its users.

Run: make build && .venv/bin/python benchmarks/kernels.py [--build target/kindred_build.duckdb] [--k 20]
The products are what decides which kernel a build takes (COMPILED_FROM_PRODUCTS). Loading the compiled one, from its
cache, is paid once and timed in a process of its own.
"""

import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
from tabulate import tabulate

from kindred import similarity
from kindred.profiles import Profiles
from kindred.warehouse import DEFAULT_BUILD, open_build

USERS = (500, 1000, 2000, 4000, 10_000, 20_000, 50_000)
TABLES = {"int_users": "intermediate", "int_profiles": "intermediate"}
LOADING = """
import time
from scipy.sparse import eye_array
from kindred import similarity
started = time.process_time()
similarity.COMPILED_FROM_PRODUCTS = 0
similarity.top_k(eye_array(3, format="csr"), 1)
print(time.process_time() - started)
"""
KERNELS = {"scipy": np.inf, "compiled": 0}


@click.command(help=__doc__)
@click.option("--build", "build_file", type=click.Path(path_type=Path), default=DEFAULT_BUILD, show_default=True)
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Neighbours to find.")
def main(build_file: Path, k: int) -> None:
    with open_build(build_file, TABLES) as (tables, _):
        users = tables["int_users"].order("user_handle").fetchnumpy()["user_handle"]
        profiles = tables["int_profiles"].select("user_handle, feature_id, matching_feature_id, weight").fetchnumpy()
    everybody = Profiles.from_long(profiles, users)
    rows = []
    for count in [count for count in USERS if count < len(users)] + [len(users)]:
        part = Profiles(users[:count], everybody.features, everybody.matching_features, everybody.matrix[:count])
        seconds = {name: cpu_seconds(part, k, limit) for name, limit in KERNELS.items()}
        ratio = seconds["scipy"] / seconds["compiled"]
        products = count * part.counterparts.nnz
        rows.append((f"{count:,}", f"{products:.1e}", *(f"{cost:.2f}" for cost in seconds.values()), f"{ratio:.1f}"))
    headers = ("users", "products", *(f"{name}, CPU seconds" for name in KERNELS), "ratio")
    click.echo(tabulate(rows, headers=headers, disable_numparse=True, colalign=["right"] * len(headers)))
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    click.echo(f"\nLoading the compiled kernel takes {float(done.stdout):.2f} CPU seconds.")


def cpu_seconds(profiles: Profiles, k: int, compiled_from: float) -> float:
    """Return the CPU seconds of the better of two runs."""
    similarity.COMPILED_FROM_PRODUCTS = compiled_from
    found = []
    for _ in range(2):
        started = time.process_time()
        similarity.top_k(profiles.matrix, k, metric="dot", counterparts=profiles.counterparts)
        found.append(time.process_time() - started)
    return min(found)


if __name__ == "__main__":
    main()
