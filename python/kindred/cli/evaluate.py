"""The command `kindred evaluate`: try other weights of the facets and measure them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tabulate import tabulate

from kindred.build.database import DEFAULT_BUILD, open_build
from kindred.cli.output import format_option, print_rows, progress_bar
from kindred.errors import WarehouseError

if TYPE_CHECKING:
    from kindred.evaluation.report import Measure
    from kindred.evaluation.weight_search import Tried


class Weights(click.ParamType):  # type: ignore[type-arg]  # earlier versions of click take no type argument
    """The weights to try for a facet: FACET=W,W,..."""

    name = "weights"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[float, ...]]:
        """Split the facet from its weights."""
        facet, _, listed = value.partition("=")
        try:
            return facet.strip(), tuple(float(weight) for weight in listed.split(","))
        except ValueError:
            return self.fail(f"{value!r} is not of the form courses=.5,.65", param, ctx)


@click.command("evaluate", epilog="Example: kindred evaluate --weight courses=.5,.65 --weight course_tags=.1,.2")
@click.option(
    "--weight",
    "weights",
    multiple=True,
    type=Weights(),
    metavar="FACET=W,W,...",
    help="Weights to try for a facet, in all combinations with those of other facets; may be repeated. Without it, "
    "each facet in turn is left out, halved and doubled.",
)
@click.option("--splits", type=click.IntRange(min=1), default=1, show_default=True, help="How often to hide courses.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=101,
    show_default=True,
    help="Which courses to hide. Use another seed than the build's quality_seed, so that weights are not chosen on the "
    "courses that the build reports on.",
)
@format_option
@click.option(
    "--build",
    "build_file",
    type=click.Path(path_type=Path),
    default=DEFAULT_BUILD,
    show_default=True,
    metavar="FILE",
    help="The database that dbt builds in.",
)
def evaluate_weights(
    weights: tuple[tuple[str, tuple[float, ...]], ...], splits: int, seed: int, output_format: str, build_file: Path
) -> None:
    """Measure other weights of the facets, and propose the best.

    The proposal is a var to paste into dbt_project.yml.

    Like neighbour_quality, it hides a fifth of the courses of every user who has viewed five or more, and lets the
    similar users vote for courses. The gain over the weights in place has a 95% interval over users. If weights gain
    beyond chance, the best are then compared with those in place on the courses that neighbour_quality hides.
    """
    # These imports are slow, and the other commands do not need them.
    import numpy as np

    from kindred.evaluation import report, weight_search
    from kindred.evaluation.platform import TABLES, EvaluationSettings, read_platform

    with open_build(build_file, TABLES) as (tables, values):
        platform, settings = read_platform(tables), EvaluationSettings.read(values)
    try:
        grid = weight_search.grid(platform.evidence.facets, _by_facet(weights))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--weight'") from error
    with progress_bar(len(grid) * splits, "Weights") as progress:
        tried = weight_search.try_weights(
            platform,
            replace(settings, quality_splits=splits, quality_seed=seed),
            grid,
            lambda: progress(1),
        )
    if not tried:
        raise WarehouseError(
            f"{build_file} has no user whose courses can be hidden: either there are fewer than two users, no user has "
            "viewed five courses, or quality_splits was 0 in the build; then build again with 1 or more."
        )
    if output_format == "table":
        everywhere = _changed_everywhere(tried)
        if everywhere:
            click.echo(f"All but the weights in place have {_described(everywhere)}:\n")
        rows = [_shown_row(each, everywhere) for each in tried]
        print_rows(rows, output_format, right_aligned=set(rows[0]) - {"weights"})
    else:
        print_rows([_plain_row(each) for each in tried], output_format)

    best = weight_search.best(tried)
    goes_to_stderr = output_format != "table"
    if not best:
        click.echo("\nNone of these weights gains beyond chance over the weights in place.", err=goes_to_stderr)
        return
    proposed = report.with_weights(platform, best.changes)
    with progress_bar(2 * report.steps(settings), "Best beside those in place") as progress:
        measured = [report.measure(each, settings, lambda _: progress(1)) for each in (platform, proposed)]
    click.echo(f"\n{_described(best.changes)} on the courses that neighbour_quality hides:\n", err=goes_to_stderr)
    click.echo(_comparison(*measured), err=goes_to_stderr)
    # Without an exponent: YAML reads 5e-05 as text.
    overrides = ", ".join(
        f"{name}: {{weight: {np.format_float_positional(weight, trim='-')}}}" for name, weight in best.changes.items()
    )
    click.echo(
        f"\nTo use these weights, add them to facet_overrides under vars in dbt_project.yml and build:\n\n"
        f"  facet_overrides: {{{overrides}}}",
        err=goes_to_stderr,
    )


def _by_facet(weights: Iterable[tuple[str, tuple[float, ...]]]) -> dict[str, list[float]]:
    """Return the weights to try of every facet; a facet may be named repeatedly."""
    by_facet: dict[str, list[float]] = {}
    for name, values in weights:
        by_facet.setdefault(name, []).extend(values)
    return by_facet


def _described(changes: dict[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in changes.items())


def _changed_everywhere(tried: list[Tried]) -> dict[str, float]:
    """Return the weights that all changes share, so that they need not be printed on every line."""
    _, *others = tried
    if len(others) < 2:
        return {}
    common = set.intersection(*(set(each.changes.items()) for each in others))
    return {name: weight for name, weight in others[0].changes.items() if (name, weight) in common}


def _shown_row(tried: Tried, everywhere: dict[str, float]) -> dict[str, str]:
    """Return a row of the printed table; everywhere holds the weights that all rows share."""
    from kindred.evaluation import report, weight_search

    varied = {name: weight for name, weight in tried.changes.items() if name not in everywhere}
    ndcg, gain = tried.value(report.NDCG), tried.value(weight_search.NDCG_GAIN)
    return {
        "weights": "in place" if not tried.changes else _described(varied) or "no other",
        "NDCG@20": f"{ndcg.value:.4f}",
        "95% interval": f"{ndcg.interval_low:.4f} to {ndcg.interval_high:.4f}",
        "gain": f"{gain.value:+.4f}" if tried.changes else "",
        "95% interval of gain": f"{gain.interval_low:+.4f} to {gain.interval_high:+.4f}" if tried.changes else "",
        "Recall@20": f"{tried.value(report.RECALL).value:.4f}",
        "course lift": _shown(tried.value(report.COURSE_LIFT).value, 2),
        "interest lift": _shown(tried.value(report.INTEREST_LIFT).value, 2),
        "hubness": f"{tried.value(weight_search.HUBNESS_SKEW).value:.2f}",
        "alone": f"{tried.value(weight_search.WITHOUT_NEIGHBOURS_SHARE).value:.3f}",
        "tied": f"{tried.value(weight_search.TIED_NEIGHBOURS_SHARE).value:.3f}",
    }


def _plain_row(tried: Tried) -> dict[str, object]:
    """Return a row for other programs."""
    row: dict[str, object] = {"weights": _described(tried.changes) or "in place"}
    for each in tried.measures:
        row[each.measure] = _number(each.value)
        if not math.isnan(each.interval_low):
            row[f"{each.measure}_interval_low"] = each.interval_low
            row[f"{each.measure}_interval_high"] = each.interval_high
    return row


def _shown(value: float, decimals: int = 4) -> str:
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


def _number(value: float) -> float | None:
    """Return the value, or None for NaN, which JSON does not have."""
    return None if math.isnan(value) else value


def _comparison(in_place: list[Measure], proposed: list[Measure]) -> str:
    """Return a table of the measures that differ between the weights in place and the proposed ones."""
    after = {(each.measure, each.variant): _shown(each.value) for each in proposed}
    rows = [(each.measure, each.variant, _shown(each.value), after[each.measure, each.variant]) for each in in_place]
    return tabulate(
        [row for row in rows if row[2] != row[3]],
        headers=("measure", "variant", "in place", "proposed"),
        disable_numparse=True,
        colalign=("left", "left", "right", "right"),
    )
