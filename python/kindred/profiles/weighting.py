"""Weighted profiles from evidence, as the model int_profiles makes them in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kindred.profiles.facets import Facet
from kindred.profiles.matrix import Profiles


@dataclass(frozen=True)
class Evidence:
    """What users did, as a long table of arrays of one length, with the facets that it belongs to.

    Attributes
    ----------
    users
        int64 array of shape (users,), rising: the number of the user of each row.
    rows
        Integer array: the row of the user.
    facet_numbers, feature_ids, matching_feature_ids
        Integer arrays: the facet, its feature, and the feature of another user that it meets.
    courses
        Integer array: the number of the course whose view is the evidence, negative where the evidence is not a view.
    occurrences
        Float array above 0: how often.
    facets
        The facets by their numbers.

    """

    users: np.ndarray
    rows: np.ndarray
    facet_numbers: np.ndarray
    feature_ids: np.ndarray
    matching_feature_ids: np.ndarray
    courses: np.ndarray
    occurrences: np.ndarray
    facets: dict[int, Facet]

    def of(self, kept: np.ndarray) -> Evidence:
        """Return the evidence at the places where a Boolean array is true."""
        return Evidence(
            self.users,
            self.rows[kept],
            self.facet_numbers[kept],
            self.feature_ids[kept],
            self.matching_feature_ids[kept],
            self.courses[kept],
            self.occurrences[kept],
            self.facets,
        )


@dataclass(frozen=True)
class FacetProfiles:
    """Profiles in which every facet is a cosine times the user's confidence, before facets are weighted.

    Attributes
    ----------
    profiles
        One row per user, one column per feature.
    facet_numbers
        Integer array of shape (features,): the facet of each column.

    """

    profiles: Profiles
    facet_numbers: np.ndarray

    def weighted(self, weights: Mapping[int, float]) -> Profiles:
        """Weigh the facets: the similarity is the sum over facets of weight times cosine.

        Parameters
        ----------
        weights
            The weight of each facet by its number; facets without weight are left out.

        """
        column_weights = np.array([weights.get(number, 0.0) for number in self.facet_numbers.tolist()])
        columns = np.flatnonzero(column_weights > 0)
        roots = sparse.diags_array(np.sqrt(column_weights[columns]))
        matrix = sparse.csr_array(self.profiles.matrix[:, columns] @ roots)
        return Profiles(
            self.profiles.users,
            self.profiles.features[columns],
            self.profiles.matching_features[columns],
            matrix,
        )


def weigh(evidence: Evidence) -> FacetProfiles:
    """Weigh evidence within each facet, with the rarity that features have in it.

    The models int_features and int_profiles do the same in SQL, and a test holds this function to them. The rarity of a
    feature is ln(1 + users of the facet / users of the feature) to the power idf_power; see `weigh_occurrences`.
    """
    features, first, columns = np.unique(evidence.feature_ids, return_index=True, return_inverse=True)
    facet_numbers = evidence.facet_numbers[first]
    occurrences = sparse.csr_array(
        (evidence.occurrences, (evidence.rows, columns)), shape=(len(evidence.users), len(features))
    )
    numbers, facet_places = np.unique(facet_numbers, return_inverse=True)
    facets = [evidence.facets[number] for number in numbers.tolist()]
    has_facet = np.zeros((occurrences.shape[0], len(facets)), dtype=bool)
    has_facet[_rows_of_entries(occurrences), facet_places[occurrences.indices]] = True
    facet_users = has_facet.sum(axis=0)
    feature_users = np.bincount(occurrences.indices, minlength=len(features))
    idf_power = np.array([facet.idf_power for facet in facets])
    rarity = np.log1p(facet_users[facet_places] / np.maximum(feature_users, 1)) ** idf_power[facet_places]
    weighted = weigh_occurrences(occurrences, facets, facet_places, rarity)
    return FacetProfiles(
        Profiles(evidence.users, features, evidence.matching_feature_ids[first], weighted), facet_numbers
    )


def weigh_occurrences(
    occurrences: sparse.csr_array, facets: Sequence[Facet], facet_places: np.ndarray, rarity: np.ndarray
) -> sparse.csr_array:
    """Weigh occurrences within each facet.

    Occurrences to the power count_power, times the rarity of the feature, are scaled to length 1 within a facet, and
    multiplied by the confidence sqrt(n / (n + confidence_prior)), with n the sum of the powers.

    Parameters
    ----------
    occurrences
        Users x features, CSR, above 0 where stored.
    facets
        The facets, in any order.
    facet_places
        Integer array of shape (features,): the place of each column's facet among them.
    rarity
        Float array of shape (features,), above 0.

    Returns
    -------
    CSR array of the same shape, float64.

    """
    count_power = np.array([facet.count_power for facet in facets])
    prior = np.array([facet.confidence_prior for facet in facets])
    of_entry = facet_places[occurrences.indices]
    counts = occurrences.data ** count_power[of_entry]

    keys = _rows_of_entries(occurrences) * len(facets) + of_entry
    size = occurrences.shape[0] * len(facets)
    evidence_sums = np.bincount(keys, weights=counts, minlength=size)
    weights = counts * rarity[occurrences.indices]
    lengths = np.sqrt(np.bincount(keys, weights=weights * weights, minlength=size))
    confidence = np.sqrt(evidence_sums[keys] / (evidence_sums[keys] + prior[of_entry]))
    return sparse.csr_array(
        (weights * confidence / lengths[keys], occurrences.indices, occurrences.indptr), occurrences.shape
    )


def _rows_of_entries(matrix: sparse.csr_array) -> np.ndarray:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
