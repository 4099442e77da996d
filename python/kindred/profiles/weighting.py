"""Weighted profiles from evidence, as the model int_profiles makes them, for evidence of which a part is hidden."""

from __future__ import annotations

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
        int64 array of shape (users,), rising: the handle of each row.
    rows
        Integer array: the row of the user.
    facet_numbers, feature_ids, matching_feature_ids
        Integer arrays: the facet, its feature, and the feature of another user that it meets.
    courses
        Integer array: the number of the course whose view is the evidence, negative where it is none.
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

    def weighted(self, weights: dict[int, float]) -> Profiles:
        """Weigh the facets: the similarity is the sum of weight times cosine over facets.

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
    """Weigh evidence within each facet.

    The same as the models int_features and int_profiles do in SQL, which a test holds it to: occurrences to the power
    count_power, times rarity ln(1 + users of the facet / users of the feature) to the power idf_power, scaled to length
    1, times the confidence sqrt(n / (n + confidence_prior)) with n the summed evidence.
    """
    features, first, columns = np.unique(evidence.feature_ids, return_index=True, return_inverse=True)
    facet_numbers = evidence.facet_numbers[first]
    matrix = sparse.csr_array(
        (evidence.occurrences, (evidence.rows, columns)), shape=(len(evidence.users), len(features))
    )
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    numbers, facet_places = np.unique(facet_numbers, return_inverse=True)
    facets = [evidence.facets[number] for number in numbers.tolist()]
    count_power, idf_power, prior = (
        np.array([getattr(facet, setting) for facet in facets])
        for setting in ("count_power", "idf_power", "confidence_prior")
    )
    of_entry = facet_places[matrix.indices]
    counts = matrix.data ** count_power[of_entry]

    keys = rows * len(facets) + of_entry
    size = len(evidence.users) * len(facets)
    evidence_sums = np.bincount(keys, weights=counts, minlength=size)
    facet_users = (evidence_sums > 0).reshape(-1, max(len(facets), 1)).sum(axis=0)
    feature_users = np.bincount(matrix.indices, minlength=len(features))
    rarity = np.log1p(facet_users[facet_places] / np.maximum(feature_users, 1)) ** idf_power[facet_places]
    weights = counts * rarity[matrix.indices]
    lengths = np.sqrt(np.bincount(keys, weights=weights * weights, minlength=size))
    confidence = np.sqrt(evidence_sums[keys] / (evidence_sums[keys] + prior[of_entry]))
    weighted = sparse.csr_array((weights * confidence / lengths[keys], matrix.indices, matrix.indptr), matrix.shape)
    return FacetProfiles(
        Profiles(evidence.users, features, evidence.matching_feature_ids[first], weighted), facet_numbers
    )
