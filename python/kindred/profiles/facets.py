"""Facets: the kinds of evidence that a profile is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb


CLUSTER = "cluster"

NEXT_COURSES = "next_courses"


@dataclass(frozen=True)
class Facet:
    """One kind of evidence and how it counts: a row of the table facets.

    Attributes
    ----------
    number
        Its place among the facets, from 1.
    name
        The name that tables have.
    weight
        Its part of the similarity, before weights are divided by their sum.
    count_power
        The power of the occurrences that counts: 0 asks whether there are any, 1 counts them.
    idf_power
        How strongly rare features count more: 0 not at all.
    confidence_prior
        p in sqrt(n / (n + p)): the evidence n it takes until the facet counts in full.
    matching_number
        The number of the facet of the other user that it is compared with; mostly its own.

    """

    number: int
    name: str
    weight: float
    count_power: float
    idf_power: float
    confidence_prior: float
    matching_number: int


@dataclass(frozen=True)
class ProfileColumns:
    """The facets of a build, and the facet and name of each column of its profiles.

    Attributes
    ----------
    facets
        The names of the facets, in the order of their numbers.
    partners
        int64 array of shape (facets,): the place of the facet that each is compared with, mostly its own.
    groups
        int64 array of shape (features,): the place of each column's facet.
    names
        object array of shape (features,): the feature of each column.

    """

    facets: list[str]
    partners: np.ndarray
    groups: np.ndarray
    names: np.ndarray

    @classmethod
    def read(
        cls, facets: duckdb.DuckDBPyRelation, features: duckdb.DuckDBPyRelation, feature_ids: np.ndarray
    ) -> ProfileColumns:
        """Read them from the tables facets and features; feature_ids are those of the columns, rising."""
        declared = read_facets(facets)
        numbers = np.array(sorted(declared))
        known = features.select("feature_id, facet_number, feature").order("feature_id").fetchnumpy()
        rows = np.searchsorted(known["feature_id"], feature_ids)
        return cls(
            [declared[number].name for number in numbers.tolist()],
            np.searchsorted(numbers, [declared[number].matching_number for number in numbers.tolist()]),
            np.searchsorted(numbers, known["facet_number"][rows]),
            known["feature"][rows],
        )


def read_facets(table: duckdb.DuckDBPyRelation) -> dict[int, Facet]:
    """Return the facets by their numbers, from the table facets."""
    rows = table.select(
        "facet_number, facet, weight, count_power, idf_power, confidence_prior, matching_facet_number"
    ).fetchall()
    return {row[0]: Facet(*row) for row in rows}


def weight_shares(facets: Mapping[int, Facet], changes: Mapping[str, float] | None = None) -> dict[int, float]:
    """Divide the weights of facets by their sum.

    Parameters
    ----------
    facets
        The facets by their numbers.
    changes
        Weights by the facet's name, instead of its own.

    Returns
    -------
    The share of each facet by its number.

    """
    weights = {number: (changes or {}).get(facet.name, facet.weight) for number, facet in facets.items()}
    total = sum(weights.values())
    return {number: weight / total for number, weight in weights.items()}
