"""Time the kernels of top_k side by side on synthetic profiles, for growing numbers of users.

Run: .venv/bin/python benchmarks/kernels.py [--users 1000 --users 100000] [--k 20]
It shows the size from which each kernel is the fastest. COMPILED_FROM_PRODUCTS and BOUNDED_FROM_MEETINGS are set from
that. Loading the compiled kernels from their cache happens once, and is timed in a separate process.
"""

import subprocess
import sys
import time
from unittest.mock import patch

import click
import numpy as np
from scipy import sparse
from synthetic_profiles import synthetic_profiles
from tabulate import tabulate

from kindred.neighbours import all_pairs, top_k

USERS = (1000, 3000, 10_000, 30_000, 100_000, 200_000)
MAX_SECONDS = 200
"""A kernel skips sizes at which it would take longer, if twice the users take four times as long."""

REPEATED_SECONDS = 10
"""A shorter run is repeated, and the faster one counts."""

LOADING = """
import time
from scipy.sparse import eye_array
from kindred.neighbours import top_k
started = time.process_time()
top_k.COMPILED_FROM_PRODUCTS = 0
top_k.top_k(eye_array(3, format="csr"), 1)
print(time.process_time() - started)
"""
NEVER = np.inf
KERNELS = {
    "scipy": (NEVER, NEVER, False),
    "rows": (0, NEVER, True),
    "symmetric": (0, NEVER, False),
    "pruned at once": (0, 0, False),
    "pruned": (0, all_pairs.BOUNDED_FROM_MEETINGS, False),
}
"""By name: COMPILED_FROM_PRODUCTS, BOUNDED_FROM_MEETINGS, and whether users are asked for as rows."""


@click.command(help=__doc__)
@click.option("--users", "sizes", type=click.IntRange(min=1), multiple=True, default=USERS, show_default=True)
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Neighbours to find.")
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
def main(sizes: tuple[int, ...], k: int, threads: int) -> None:
    largest = synthetic_profiles(max(sizes))
    rows = []
    seconds_per_pair = dict.fromkeys(KERNELS, 0.0)
    for users in sorted(sizes):
        profiles = largest[:users]
        found = dict.fromkeys(KERNELS, "")
        for name in KERNELS:
            if seconds_per_pair[name] * users**2 <= MAX_SECONDS:
                seconds = cpu_seconds(name, profiles, k, threads)
                seconds_per_pair[name] = seconds / users**2
                found[name] = f"{seconds:.2f}"
        rows.append((f"{users:,}", f"{users * profiles.nnz:.1e}", *found.values()))
    headers = ("users", "products", *(f"{name}, CPU s" for name in KERNELS))
    click.echo(tabulate(rows, headers=headers, disable_numparse=True, colalign=["right"] * len(headers)))
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    click.echo(f"\nLoading the compiled kernels takes {float(done.stdout):.2f} CPU seconds.")


def cpu_seconds(name: str, profiles: sparse.csr_array, k: int, threads: int) -> float:
    """Return the CPU seconds of a kernel, after a small run that compiles it."""
    compiled_from, bounded_from, is_by_rows = KERNELS[name]

    def run(some: sparse.csr_array) -> float:
        rows = np.arange(some.shape[0]) if is_by_rows else None
        started = time.process_time()
        top_k.top_k(some, k, rows=rows, threads=threads)
        return time.process_time() - started

    with (
        patch.object(top_k, "COMPILED_FROM_PRODUCTS", compiled_from),
        patch.object(all_pairs, "BOUNDED_FROM_MEETINGS", bounded_from),
    ):
        run(profiles[:500])
        seconds = run(profiles)
        return min(seconds, run(profiles)) if seconds < REPEATED_SECONDS else seconds


if __name__ == "__main__":
    main()
