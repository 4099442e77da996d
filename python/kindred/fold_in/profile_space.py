"""The users who are most similar to a profile that is not in the warehouse."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from scipy import sparse

from kindred.fold_in.activity import Activity, Encoded
from kindred.fold_in.encoder import Encoder
from kindred.matrices import TIE_DECIMALS, at_most_one, tie_key, tie_order
from kindred.neighbours.lists import CANDIDATES_PER_PLACE
from kindred.neighbours.reranking import TOP_REASONS
from kindred.profiles.matrix import Profiles, find_rows

if TYPE_CHECKING:
    import duckdb


MIN_CANDIDATES = 100
"""The fewest candidates that compete for the places of a list, however short it is."""

NUMBERED_USERS = """
    select
        row_number() over (order by user_handle) - 1 as user_number,
        user_handle,
        cluster_id,
        neighbourhood_similarity
    from users
"""
"""The users of a published warehouse, with numbers in the order of their handles."""

MAGIC = b"kindred profile space 2\n"
"""The first bytes of a profile space; the number changes with the format."""

CHECKSUM_BYTES = 4
"""The length of the CRC-32 of everything after it: bytes with the right checksum need no further check."""


@dataclass(frozen=True, eq=False)
class ProfileSpace:
    """The profiles of all users, to be compared with one that is posted. Threads may share it.

    Attributes
    ----------
    encoder
        Turns an activity into a profile.
    features
        int64 array of shape (features,), rising: the feature_id of each row of holders.
    users
        The handle of each column of holders, in the order of handles: integers or texts. A user without features has
        none.
    cluster_ids
        int64 array of shape (users,): the cluster of each user, -1 for none.
    neighbourhood_similarity
        float64 array of shape (users,): each user's mean similarity to the nearest ones, see users.
    tie_keys
        uint64 array of shape (users,): what orders equally similar users, see `kindred.top_k`.
    holders
        CSR array of shape (features, users), float64: the weight of each feature in each user's profile.

    """

    encoder: Encoder
    features: np.ndarray
    users: list[Any]
    cluster_ids: np.ndarray
    neighbourhood_similarity: np.ndarray
    tie_keys: np.ndarray
    holders: sparse.csr_array

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> ProfileSpace:
        """Read the profiles from the published warehouse, part by part: the memory is that of the matrix.

        Raises
        ------
        duckdb.Error
            If it lacks a table or column, as one that an older version made does.

        """
        encoder = Encoder.read(connection)
        # A row for every feature, with the users who have it: a posted profile needs few of these rows, but has
        # something in common with most users. That takes a quarter of the time for a profile of 70 features.
        exchanged = connection.sql(f"""
            with numbered as ({NUMBERED_USERS})

            select user_features.feature_id as user_number, numbered.user_number as feature_id, user_features.weight
            from user_features
            inner join numbered on user_features.user_handle = numbered.user_handle
        """)
        profiles = Profiles.read(exchanged, np.array(list(encoder.features), dtype=np.int64))
        users = connection.sql(f"{NUMBERED_USERS} order by user_number").fetchnumpy()
        rows = profiles.features
        handles = users["user_handle"][rows].tolist()
        return cls(
            encoder,
            profiles.users,
            handles,
            np.asarray(users["cluster_id"][rows], dtype=np.int64),
            np.asarray(users["neighbourhood_similarity"][rows], dtype=np.float64),
            np.array([tie_key(str(handle)) for handle in handles], dtype=np.uint64),
            profiles.matrix,
        )

    def encode(self, activity: Activity) -> Encoded:
        """Make the profile that the warehouse would give to a user who did this, see `Encoder.encode`."""
        return self.encoder.encode(activity)

    def closest(self, encoded: Encoded, k: int, min_similarity: float = 0.0) -> list[dict[str, Any]]:
        """List the users who are closest to a profile, as `kindred.neighbours.reranking.rerank` ranks them.

        Candidates are the nearest users, CANDIDATES_PER_PLACE for each place and MIN_CANDIDATES at least; of those
        the k are listed that come first by similarity less the correction for hubs. Ties are broken by a hash of the
        handle and of the names of the posted features. A posted profile is in no cluster, so that the facet of clusters
        adds nothing.

        Parameters
        ----------
        encoded
            The profile.
        k
            How many users to list at most, at least 1.
        min_similarity
            Who is less similar is not listed, nor is who is not similar at all.

        Returns
        -------
        A dict for every listed user, closest first: rank (from 1), similar_user_handle, similarity, facets (the part of
        every facet in it, in the order of facets), cluster_id (of the similar user, -1 for none) and reasons, the up to
        TOP_REASONS features that add most: dicts of facet, feature and contribution, the largest first, of equals the
        lower feature_id. Facets and features are those of the posted profile.

        Raises
        ------
        ValueError
            If k is below 1.

        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        posted = np.array(sorted(encoded.features), dtype=np.int64)
        matching_ids = [self.encoder.features[feature_id].matching_id for feature_id in posted.tolist()]
        rows, is_held = find_rows(np.array(matching_ids, dtype=np.int64), self.features)
        rows, posted = rows[is_held], posted[is_held].tolist()
        weights = np.array([encoded.features[feature_id] for feature_id in posted])

        similarities = self._similarities(rows, weights)
        features = [self.encoder.features[feature_id] for feature_id in posted]
        names = sorted(self.encoder.features[feature_id][1:3] for feature_id in encoded.features)
        listed = self._listed(similarities, tie_key(repr(names)), k, min_similarity)
        contributions = self._contributions(rows, weights, listed)
        facets = [facet.name for facet in self.encoder.facets]
        is_of_facet = np.array([[feature.facet == facet for facet in facets] for feature in features])
        parts = at_most_one(contributions @ is_of_facet.reshape(len(features), len(facets)))
        best = np.argsort(-contributions, axis=1, kind="stable")[:, :TOP_REASONS]
        return [
            {
                "rank": place + 1,
                "similar_user_handle": self.users[user],
                "similarity": float(similarities[user]),
                "facets": dict(zip(facets, parts[place].tolist(), strict=True)),
                "cluster_id": int(self.cluster_ids[user]),
                "reasons": [
                    {
                        "facet": features[column].facet,
                        "feature": features[column].name,
                        "contribution": float(contributions[place, column]),
                    }
                    for column in best[place].tolist()
                    if contributions[place, column] > 0
                ],
            }
            for place, user in enumerate(listed.tolist())
        ]

    def _similarities(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the similarity of every user to a profile with these weights in rows of holders. Shape (users,)."""
        similarities = np.zeros(len(self.users))
        for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
            users, user_weights = self._holders_of(row)
            np.add.at(similarities, users, weight * user_weights)  # half the time of an indexed sum
        return at_most_one(similarities)

    def _listed(self, similarities: np.ndarray, own_key: int, k: int, min_similarity: float) -> np.ndarray:
        """Return the columns of the k most similar users, closest first, ties by `tie_order` with the profile's key."""
        count = min(max(CANDIDATES_PER_PLACE * k, MIN_CANDIDATES), len(similarities))
        # Few users reach the similarity at the last place, so only those need sorting.
        least = np.partition(similarities, -count)[-count] - 10.0**-TIE_DECIMALS if count else 0
        near = np.flatnonzero((similarities > 0) & (similarities >= least))
        ties = tie_order(self.tie_keys[near], np.uint64(own_key))
        order = np.lexsort((ties, -np.round(similarities[near], TIE_DECIMALS)))[:count]
        order = order[similarities[near[order]] >= min_similarity]
        near, ties = near[order], ties[order]
        correction = self.encoder.settings["hub_correction"] * self.neighbourhood_similarity[near]
        totals = np.round(similarities[near] - correction, TIE_DECIMALS)
        return near[np.lexsort((ties, -totals))][:k]

    def _contributions(self, rows: np.ndarray, weights: np.ndarray, listed: np.ndarray) -> np.ndarray:
        """Return what each row of holders adds to the similarity of each listed column. Shape (listed, rows)."""
        contributions = np.zeros((len(listed), len(rows)))
        listed = listed.astype(self.holders.indices.dtype)  # else every row would be converted to be searched
        for place, (row, weight) in enumerate(zip(rows.tolist(), weights.tolist(), strict=True)):
            users, user_weights = self._holders_of(row)
            entries, is_holder = find_rows(listed, users)
            contributions[is_holder, place] = weight * user_weights[entries[is_holder]]
        return contributions

    def _holders_of(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of the users who have a feature, rising, and its weight in their profiles."""
        entries = slice(self.holders.indptr[row], self.holders.indptr[row + 1])
        return self.holders.indices[entries], self.holders.data[entries]

    def to_bytes(self) -> bytes:
        """Return all of it as one byte string that `from_bytes` reads: MAGIC, a checksum, and arrays as .npy."""
        content, start = BytesIO(), len(MAGIC) + CHECKSUM_BYTES
        content.write(MAGIC + bytes(CHECKSUM_BYTES))
        for array in (
            np.frombuffer(self.encoder.content.encode(), dtype=np.uint8),
            self.features,
            np.frombuffer(json.dumps(self.users).encode(), dtype=np.uint8),
            self.cluster_ids,
            self.neighbourhood_similarity,
            self.tie_keys,
            self.holders.indptr,
            self.holders.indices,
            self.holders.data,
        ):
            np.save(content, array, allow_pickle=False)
        with content.getbuffer() as view:
            view[len(MAGIC) : start] = _checksum(view[start:])
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> ProfileSpace:
        """Make a profile space of what `to_bytes` returned.

        Raises
        ------
        ValueError
            If the bytes are not a profile space, or not all of it.

        """
        if not content.startswith(MAGIC):
            raise ValueError("these bytes are not a profile space of this version of Kindred")
        start = len(MAGIC) + CHECKSUM_BYTES
        if content[len(MAGIC) : start] != _checksum(memoryview(content)[start:]):
            raise ValueError("these bytes are a damaged profile space: their checksum is wrong")
        arrays = BytesIO(content)
        arrays.seek(start)
        encoder, features, users, cluster_ids, neighbourhood_similarity, tie_keys, starts, columns, weights = (
            np.load(arrays, allow_pickle=False) for _ in range(9)
        )
        return cls(
            Encoder(encoder.tobytes().decode()),
            features,
            json.loads(users.tobytes()),
            cluster_ids,
            neighbourhood_similarity,
            tie_keys,
            sparse.csr_array((weights, columns, starts), shape=(len(features), len(cluster_ids))),
        )


def _checksum(content: memoryview) -> bytes:
    return crc32(content).to_bytes(CHECKSUM_BYTES)
