"""Compare kindred's top_k with its peers on synthetic profiles; write the figures, a page of tables and a plot.

Run: python benchmarks/peers.py [--size 10000] [--methods kindred,scipy], in an environment of requirements-peers.lock.
Every run is a separate process, and the methods take turns. New runs replace the rows of the same users and methods in
benchmarks/results/peers.csv; docs/benchmarks.md and docs/peers.svg are made from all rows.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click
import numpy as np
import pandas as pd
from peer_methods import METHODS, save_profiles
from scipy import sparse
from scipy.optimize import isotonic_regression
from synthetic_profiles import synthetic_profiles
from tabulate import tabulate

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 30_000, 100_000)
SAMPLE_ROWS = 2000
"""Users whose lists are checked; if all users would take too long, only these are searched for."""

REPEATED_BELOW = 100.0
"""Only runs of fewer CPU seconds are repeated; longer ones vary less."""

CHECK_ROWS = 64
SCORE_SLACK = 1e-6
"""A neighbour counts if its similarity is this close to the last exact one, because of float32 and ties."""

KINDRED = "kindred"
AIMS = (
    (10_000, "cosine_similarity", 7.0),
    (10_000, "implicit", 4.0),
    (10_000, "sparse_dot_topn", 3.3),
    (100_000, "sparse_dot_topn", 6.0),
    (100_000, "nearest_neighbors", 10.0),
)
"""Users, peer, and the least CPU seconds that the peer should take, as a multiple of kindred's."""

GROWTH = (100_000, 1_000_000, 1.8)
"""From the first to the second number of users, CPU seconds should grow at most by this power of the number."""

MARKERS = ("<!-- peers -->", "<!-- /peers -->")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
COLOURS = {"kindred": "#0072b2", "exact": "#555555", "approximate": "#d55e00"}


@click.command(help=__doc__)
@click.option(
    "--size", "sizes", type=click.IntRange(min=1000), multiple=True, help="Users; 1000000 runs kindred alone."
)
@click.option(
    "--methods", help=f"Methods, separated by commas: {', '.join(METHODS)}. By default all that suit the size."
)
@click.option("--rounds", type=click.IntRange(min=1), help="By default 3 up to 10,000 users, 2 up to 30,000, else 1.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Threads of the methods that let it be set.",
)
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Neighbours to find.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the profiles.")
@click.option(
    "--budget",
    type=float,
    default=300,
    show_default=True,
    help=f"A peer that would take more CPU seconds runs on {SAMPLE_ROWS:,} rows only, scaled (above 10,000 users).",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder in which the profiles are kept for the next time."
)
@click.option(
    "--into", type=click.Path(path_type=Path), default=ROOT, help="Repository to write to; by default this one."
)
@click.option("--pages-only", is_flag=True, help="Run nothing; write the page and plot from existing figures.")
def main(
    sizes: tuple[int, ...],
    methods: str | None,
    rounds: int | None,
    threads: int,
    k: int,
    seed: int,
    budget: float,
    data: Path | None,
    into: Path,
    pages_only: bool,
) -> None:
    named = methods.split(",") if methods else None
    unknown = set(named or ()) - set(METHODS)
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(sorted(unknown))}", param_hint="--methods")
    results = into / "benchmarks" / "results" / "peers.csv"
    failures = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in () if pages_only else sizes or SIZES:
            folder = prepared(data or Path(temporary), size, seed, k)
            chosen = named or [name for name, method in METHODS.items() if size <= method.max_users]
            runs, before = Runs(folder, size, k, threads, seed), read_results(results)
            for rows in runs.take_turns(chosen, rounds or default_rounds(size), budget):
                save_results(merged(before, pd.DataFrame(rows)), results)
            failures += runs.failures.values()
    if not results.exists():
        raise click.ClickException("\n".join(["there are no figures yet", *failures]))
    figures = medians(read_results(results))
    write_page(figures, into / "docs" / "benchmarks.md")
    draw(figures, into / "docs" / "peers.svg")
    click.echo(tabulate(aim_rows(figures), headers=("users", "against", "aim", "found", ""), disable_numparse=True))
    if failures:
        raise click.ClickException("these did not finish:\n" + "\n".join(failures))


def default_rounds(size: int) -> int:
    return 3 if size <= 10_000 else 2 if size <= 30_000 else 1


# --- profiles, and exact neighbours -----------------------------------------------------------------------------------


def prepared(data: Path, size: int, seed: int, k: int) -> Path:
    """Return a folder with the profiles, a sample of rows, and the similarities of their exact neighbours."""
    folder = data / f"profiles-{size}-{seed}-{k}"
    if not (folder / "exact.npy").exists():
        click.echo(f"Drawing the profiles of {size:,} users", err=True)
        folder.mkdir(parents=True, exist_ok=True)
        profiles = synthetic_profiles(size, seed)
        save_profiles(profiles, folder)
        rows = np.sort(np.random.default_rng(seed).choice(size, min(SAMPLE_ROWS, size), replace=False))
        np.save(folder / "rows.npy", rows)
        np.save(folder / "exact.npy", exact_scores(profiles, rows, k))
    return folder


def exact_scores(profiles: sparse.csr_array, rows: np.ndarray, k: int) -> np.ndarray:
    """Return the k best cosines of each row, in float64 from all scores: (rows, k), rising, 0 if there are fewer."""
    matrix = unit_rows(profiles)
    best = []
    for start in range(0, len(rows), CHECK_ROWS):
        block = rows[start : start + CHECK_ROWS]
        scores = (matrix @ matrix[block].toarray().T).T
        scores[np.arange(len(block)), block] = 0
        best.append(np.sort(np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:], axis=1))
    return np.vstack(best)


def unit_rows(profiles: sparse.csr_array) -> sparse.csr_array:
    matrix = sparse.csr_array(profiles, dtype=np.float64)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ matrix)


def recall(profiles: sparse.csr_array, rows: np.ndarray, exact: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the neighbours of rows that was found.

    exact is the result of `exact_scores`; found holds indices, of shape (rows, k), -1 in free places. A found neighbour
    counts if it is as similar as the least similar exact one. The row itself and repetitions do not count.
    """
    matrix = unit_rows(profiles)
    expected = (exact > 0).sum(axis=1)
    lowest = np.where(exact > 0, exact, np.inf).min(axis=1)
    hits = 0
    for place, row in enumerate(rows):
        others = np.unique(found[place])
        others = others[(others >= 0) & (others != row)]
        similarities = (matrix[others] @ matrix[[row]].T).toarray()
        hits += min(int((similarities >= lowest[place] - SCORE_SLACK).sum()), expected[place])
    return hits / expected.sum()


# --- runs ------------------------------------------------------------------------------------------------------------


class Runs:
    """The runs of one size: `rows` has the cost of each, and `failures` the errors by method."""

    def __init__(self, folder: Path, size: int, k: int, threads: int, seed: int) -> None:
        self.folder, self.size, self.k, self.threads, self.seed = folder, size, k, threads, seed
        self.rows: list[dict] = []
        self.failures: dict[str, str] = {}
        self.sample = np.load(folder / "rows.npy")
        self.exact = np.load(folder / "exact.npy")
        parts = [np.load(folder / f"{name}.npy") for name in ("data", "indices", "indptr")]
        self.profiles = sparse.csr_array(tuple(parts), shape=np.load(folder / "shape.npy"))

    def take_turns(self, names: list[str], rounds: int, budget: float) -> Iterator[list[dict]]:
        """Run every method once per round, on sampled rows if all would exceed the budget; yield all rows so far."""
        sampled = set()
        for name in names:
            if name != KINDRED and METHODS[name].takes_rows and self.size > SIZES[0]:
                row = self.run(name, 1, is_sampled=True)
                if row and row["cpu_seconds"] > budget:
                    sampled.add(name)
                    self.rows.append(row)
                    yield self.rows
        for turn in range(1, rounds + 1):
            for name in names:
                if self.wants_run(name, turn):
                    row = self.run(name, turn, is_sampled=name in sampled)
                    if row:
                        self.rows.append(row)
                        yield self.rows

    def wants_run(self, name: str, turn: int) -> bool:
        """Return whether a method has not failed, not yet run in this round, and is not too slow to repeat."""
        done = [row for row in self.rows if row["method"] == name]
        is_long = any(row["cpu_seconds"] * row["rows"] / self.size > REPEATED_BELOW for row in done)
        return name not in self.failures and len(done) < turn and not is_long

    def run(self, name: str, turn: int, is_sampled: bool) -> dict | None:
        """Run a method in a separate process and return its row of the results; None if it failed."""
        found_file = self.folder / "found.npy"
        rows_file = str(self.folder / "rows.npy") if is_sampled else ""
        script = Path(__file__).with_name("peer_methods.py")
        arguments = [name, str(self.folder), str(self.k), str(self.threads), rows_file, str(found_file)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]),
            **dict.fromkeys(THREAD_VARIABLES, str(self.threads)),
        }
        done = subprocess.run([sys.executable, script, *arguments], env=environment, capture_output=True, text=True)
        if done.returncode:
            reason = f"{name} with {self.size:,} users: exit code {done.returncode}, {done.stderr.strip()[-500:]}"
            self.failures[name] = reason
            click.echo(reason, err=True)
            return None
        cost = json.loads(done.stdout.splitlines()[-1])
        found = np.load(found_file)
        found_file.unlink()
        scale = self.size / len(self.sample) if is_sampled else 1.0
        row = {
            "users": self.size,
            "method": name,
            "round": turn,
            "rows": len(found),
            "cpu_seconds": round(scaled(cost["start_cpu_seconds"], cost["search_cpu_seconds"], scale), 3),
            "wall_seconds": round(scaled(cost["start_wall_seconds"], cost["search_wall_seconds"], scale), 3),
            "extra_memory_mb": round(cost["extra_memory_mb"], 1),
            "recall": round(
                recall(self.profiles, self.sample, self.exact, found if is_sampled else found[self.sample]), 4
            ),
            "k": self.k,
            "threads": self.threads,
            "seed": self.seed,
            "version": cost["version"],
            "machine": machine(),
        }
        click.echo(
            f"{self.size:>9,}  {name:<18} {row['cpu_seconds']:>9.2f} CPU s {row['wall_seconds']:>9.2f} s"
            f" {row['extra_memory_mb']:>7.0f} MB  recall {row['recall']:.4f}"
            + (f"  scaled from {len(found):,} rows" if is_sampled else "")
        )
        return row


def scaled(start: float, search: float, scale: float) -> float:
    """Return the cost for all rows: the start is paid once, and only the search scales with the rows."""
    return start + search * scale


def machine() -> str:
    """Return processor, cores, memory and Python, in words."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].split(":", 1)[1].strip() if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}; {os.cpu_count()} cores; {memory:.0f} GB; Python {platform.python_version()}"


# --- figures ---------------------------------------------------------------------------------------------------------


def read_results(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.exists() else pd.DataFrame({"users": [], "method": []})


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Replace earlier results of the same users and method; in the order of METHODS."""
    keys = ["users", "method"]
    kept = old[~pd.MultiIndex.from_frame(old[keys]).isin(pd.MultiIndex.from_frame(new[keys]))]
    together = pd.concat([kept, new]) if len(kept) else new
    order = {name: place for place, name in enumerate(METHODS)}
    return together.sort_values(
        ["users", "method", "round"], key=lambda values: values.map(order) if values.name == "method" else values
    )


def save_results(results: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(path, index=False, lineterminator="\n")


def medians(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each size and method, in the order of the results."""
    numbers = {name: "median" for name in ("cpu_seconds", "wall_seconds", "extra_memory_mb", "recall", "rows")}
    return results.groupby(["users", "method"], sort=False, as_index=False).agg(
        {**numbers, "round": "count", "k": "first", "threads": "first", "version": "first", "machine": "first"}
    )


def costs(figures: pd.DataFrame) -> dict[tuple[int, str], float]:
    return {
        (int(users), method): float(cost)
        for users, method, cost in zip(figures["users"], figures["method"], figures["cpu_seconds"], strict=True)
    }


def growth(few: float, many: float, factor: float) -> float:
    """Return the power by which the cost grows, from `few` to `many` with factor times as many users."""
    return math.log(many / few) / math.log(factor)


def aim_rows(figures: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the aims and the results: users, comparison, aim, result, verdict."""
    cost = costs(figures)
    rows = []
    for users, peer, aim in AIMS:
        found = ratio(cost, users, peer)
        reached = "" if found is None else "reached" if found >= aim else "missed"
        shown = "not run" if found is None else f"{found:.1f} times"
        rows.append((f"{users:,}", METHODS[peer].title, f"{aim:g} times", shown, reached))
    few, many, aim = GROWTH
    if (few, KINDRED) in cost and (many, KINDRED) in cost:
        power = growth(cost[few, KINDRED], cost[many, KINDRED], many / few)
        found, reached = f"power {power:.2f}", "reached" if power <= aim else "missed"
    else:
        found, reached = "not run", ""
    return [*rows, (f"{few:,} to {many:,}", "its own growth", f"power {aim:g}", found, reached)]


def ratio(cost: Mapping[tuple[int, str], float], users: int, peer: str) -> float | None:
    """Return the CPU seconds of a peer as a multiple of those of kindred; None if either was not run."""
    if (users, peer) in cost and (users, KINDRED) in cost:
        return cost[users, peer] / cost[users, KINDRED]
    return None


# --- page and plot ---------------------------------------------------------------------------------------------------


def write_page(figures: pd.DataFrame, page: Path) -> None:
    """Write the tables between the markers of a page."""
    before, rest = page.read_text(encoding="utf-8").split(MARKERS[0])
    after = rest.split(MARKERS[1])[1]
    page.write_text(f"{before}{MARKERS[0]}\n{tables(figures)}\n{MARKERS[1]}{after}", encoding="utf-8")


def tables(figures: pd.DataFrame) -> str:
    cost = costs(figures)
    parts = []
    for users, part in figures.groupby("users"):
        rows = []
        for row in part.sort_values("cpu_seconds").itertuples():
            is_kindred, multiple = row.method == KINDRED, ratio(cost, users, row.method)
            mark = "*" if row.rows < users else ""
            rows.append((
                f"**{METHODS[row.method].title}**" if is_kindred else METHODS[row.method].title,
                f"{number(row.cpu_seconds)}{mark}",
                "" if multiple is None else f"{multiple:.1f}",
                f"{number(row.wall_seconds)}{mark}",
                f"{row.extra_memory_mb:,.0f}",
                f"{row.recall:.3f}",
                row.round,
            ))  # fmt: skip
        headers = ("method", "CPU s", "times kindred", "wall s", "extra memory, MB", "recall", "runs")
        parts.append(f"### {users:,} users\n\n{markdown(rows, headers, 'lrrrrrr')}")
    if (figures["rows"] < figures["users"]).any():
        parts.append(
            f"\\* Run on {SAMPLE_ROWS:,} rows against all users and scaled to all rows; the memory is that of this run."
        )
    parts.append(
        "### Aims\n\nCPU seconds, as a multiple of those of kindred, and growth:\n\n"
        + markdown(aim_rows(figures), ("users", "against", "aim", "found", ""), "lllll")
    )
    methods = figures.drop_duplicates("method", keep="last").set_index("method")
    rows = [
        (method.title, f"{method.package} {methods['version'][name]}", method.how)
        for name, method in METHODS.items()
        if name in methods.index
    ]
    parts.append("### How each was called\n\n" + markdown(rows, ("method", "package", "how"), "lll"))
    ks, threads = (", ".join(f"{value:g}" for value in sorted(set(figures[name]))) for name in ("k", "threads"))
    where = " and ".join(sorted(set(figures["machine"])))
    parts.append(f"K = {ks}; threads: {threads}; measured on {where}.")
    return "\n\n".join(parts)


def number(value: float) -> str:
    """Write a number with three digits or, above, all digits before the point."""
    return f"{value:,.{max(0, 2 - max(0, math.floor(math.log10(max(value, 1e-9)))))}f}"


def markdown(rows: Iterable[tuple], headers: tuple[str, ...], alignment: str) -> str:
    lines = [headers, ["---:" if side == "r" else "---" for side in alignment], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def draw(figures: pd.DataFrame, path: Path) -> None:
    """Plot CPU seconds against users, one line for each method, with its name at the end of it."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "kindred", "font.family": "sans-serif"})
    import matplotlib.pyplot as plt

    chart, axes = plt.subplots(figsize=(8, 5))
    ends = []
    for name, part in figures.sort_values("users").groupby("method"):
        kind = "kindred" if name == KINDRED else "exact" if METHODS[name].is_exact else "approximate"
        users, cost = part["users"].to_numpy(), part["cpu_seconds"].to_numpy()
        style = {"color": COLOURS[kind], "linestyle": "--" if kind == "approximate" else "-"}
        axes.plot(users, cost, linewidth=3 if kind == "kindred" else 1.2, **style)
        for is_scaled in (False, True):
            marked = (part["rows"] < part["users"]).to_numpy() == is_scaled
            face = "white" if is_scaled else COLOURS[kind]
            axes.plot(users[marked], cost[marked], "o", color=COLOURS[kind], markerfacecolor=face, markersize=4.5)
        ends.append((users[-1], cost[-1], METHODS[name].title, kind))
    axes.set(xscale="log", yscale="log", xlabel="users", ylabel="CPU seconds")
    axes.set_xticks(sorted(set(figures["users"])), [f"{users:,}" for users in sorted(set(figures["users"]))])
    axes.minorticks_off()
    low, high = figures["users"].min(), figures["users"].max()
    axes.set_xlim(low / 1.2, high * (max(high / low, 3) ** 0.45))
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4, color="#dddddd")
    label(axes, ends)
    chart.text(0.01, 0.01, "dashed: approximate; hollow: scaled from a sample of rows", fontsize=8, color="#555555")
    chart.tight_layout(rect=(0, 0.03, 1, 1))
    chart.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(chart)
    # matplotlib leaves blanks at the ends of lines.
    path.write_text("\n".join(line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()) + "\n", "utf-8")


def label(axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write names right of the last points, those that end at the same number of users apart from each other."""
    bottom, top = (math.log(limit) for limit in axes.get_ylim())
    gap = (top - bottom) / 24
    for users in {end[0] for end in ends}:
        here = sorted((end for end in ends if end[0] == users), key=lambda end: end[1])
        heights = spread([math.log(end[1]) for end in here], gap)
        for (_, cost, title, kind), height in zip(here, heights, strict=True):
            axes.annotate(
                title,
                xy=(users, cost),
                xytext=(users * (axes.get_xlim()[1] / axes.get_xlim()[0]) ** 0.02, math.exp(height)),
                color=COLOURS[kind],
                fontsize=8,
                fontweight="bold" if kind == "kindred" else "normal",
                verticalalignment="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )


def spread(heights: list[float], gap: float) -> list[float]:
    """Move rising heights, by the least squares, until each is at least a gap above the one before."""
    steps = gap * np.arange(len(heights))
    return (isotonic_regression(np.array(heights) - steps).x + steps).tolist()


if __name__ == "__main__":
    main()
