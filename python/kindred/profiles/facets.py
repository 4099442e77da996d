"""Facets: the kinds of evidence that a profile is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


CLUSTER = "cluster"

NEXT_COURSES = "next_courses"

FACET_IDS = 1_000_000_000
"""Feature ids of one facet: facet number x FACET_IDS and up, as the macro feature_id assigns them."""


@dataclass(frozen=True)
class Facet:
    """One kind of evidence and how it counts: a row of the table facets."""

    number: int
    name: str
    weight: float
    count_power: float
    idf_power: float
    confidence_prior: float
    matching_number: int


def weight_shares(facets: dict[int, Facet], changes: Mapping[str, float] | None = None) -> dict[int, float]:
    """Divide the weights of facets by their sum, those of changes by the facet's name in place of their own.

    Returns
    -------
    The share of each facet by its number.

    """
    weights = {number: (changes or {}).get(facet.name, facet.weight) for number, facet in facets.items()}
    total = sum(weights.values())
    return {number: weight / total for number, weight in weights.items()}


def read_facets(table: duckdb.DuckDBPyRelation) -> dict[int, Facet]:
    """Return the facets by their numbers."""
    rows = table.select(
        "facet_number, facet, weight, count_power, idf_power, confidence_prior, matching_facet_number"
    ).fetchall()
    return {row[0]: Facet(*row) for row in rows}
