"""What is read from a store: the users most like a user, the reasons, the cluster, and courses to take next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from kindred.errors import StaleVersionError, StoreError, UnknownUserError
from kindred.fold_in.activity import Activity
from kindred.stores.base import Edition, Handle, Reader, Store

ATTEMPTS = 3
"""How often a lookup is tried when the version it reads is removed meanwhile."""

DECIMALS = 9
"""Similarities and their parts are rounded to this many decimals."""

SAME_PROFILE_COSINE = 1 - 1e-9
"""At this plain cosine or above, two users followed, viewed and were assessed in exactly the same."""

Answer = TypeVar("Answer")

Row = dict[str, Any]
"""Values by name."""

ClusterFilter = Literal["same", "other", "any"]


def at_one_version(store: Store, lookup: Callable[[Reader], Answer]) -> Answer:
    """Return the result of a lookup in a store, all of it from one version.

    Raises
    ------
    StoreError
        If versions are replaced faster than they can be read, or `Store.read` raises it.

    """
    for _ in range(ATTEMPTS):
        try:
            with store.read() as reader:
                return lookup(reader)
        except StaleVersionError:
            continue
    raise StoreError("The store is published to so often that each version is gone before it is read; try again later.")


def handle_in(reader: Reader, asked: Handle) -> Handle:
    """Return the handle of a user as the version has it, whether a number or a text names the user.

    Every lookup does this with the handles that it takes.

    Raises
    ------
    UnknownUserError
        If no user of the version can have this handle.

    """
    handle = reader.edition.handle(asked)
    if handle is None:
        raise UnknownUserError(asked, reader.edition.version)
    return handle


def similar_users(
    reader: Reader,
    user_handle: Handle,
    *,
    limit: int = 10,
    min_similarity: float = 0.0,
    cluster: ClusterFilter = "any",
    exclude_same_profile: bool = False,
) -> list[Row]:
    """Return the users who are most similar to a user, most similar first.

    Parameters
    ----------
    reader
        The version to read.
    user_handle
        The user.
    limit
        How many users to return at most. A store has as many as the warehouse lists (its var top_k).
    min_similarity
        Leave out users who are less similar.
    cluster
        same: only users of the same cluster, none for a user in no cluster; other: only users outside it; any: all.
    exclude_same_profile
        Leave out users who followed, viewed and were assessed in exactly the same.

    Returns
    -------
    Dicts of rank (in the whole list, so ranks have gaps where users are left out), similar_user_handle, similarity,
    facets (what each facet adds to the similarity), cosine_similarity, cluster_id and cluster (the other user's; -1 and
    None for no cluster), is_same_profile, and reasons: up to three dicts of facet, feature and contribution.

    Raises
    ------
    UnknownUserError
        If the warehouse does not have the user.

    """
    user_handle = handle_in(reader, user_handle)
    rows = reader.similar(user_handle)
    if not rows or cluster != "any":
        own_cluster = _known_user(reader, user_handle)["cluster_id"]
    found: list[Row] = []
    for row in rows:
        is_same_profile = row["cosine_similarity"] >= SAME_PROFILE_COSINE
        is_wanted = (
            row["similarity"] >= min_similarity
            and (cluster == "any" or (cluster == "same") == (row["similar_cluster_id"] == own_cluster != -1))
            and not (exclude_same_profile and is_same_profile)
        )
        if is_wanted:
            found.append(_similar_user(row, reader.edition, is_same_profile))
            if len(found) == limit:
                break
    return found


def similar_to_activity(reader: Reader, activity: Activity, *, limit: int = 10, min_similarity: float = 0.0) -> Row:
    """Return the users who are most similar to the activity of somebody who is not in the warehouse.

    Returns
    -------
    similar: dicts of rank, similar_user_handle, similarity, facets, cluster_id, cluster and reasons, as `similar_users`
    returns them, most similar first. unknown and mapped: see `kindred.fold_in.activity.Encoded`.

    """
    space = reader.space()
    encoded = space.encode(activity)
    similar = [
        with_cluster(row, reader.edition)
        | {
            "similarity": round(row["similarity"], DECIMALS),
            "facets": _rounded(row["facets"]),
            "reasons": _rounded_reasons(row["reasons"]),
        }
        for row in space.closest(encoded, limit, min_similarity)
    ]
    return {"similar": similar, "unknown": encoded.unknown, "mapped": encoded.mapped}


def explain(reader: Reader, user_handle: Handle, other_handle: Handle) -> Row:
    """Return everything that two users have in common, whether or not one is on the other's list.

    Returns
    -------
    user_handle, similar_user_handle, similarity, rank (in the user's list, None if the other is not on it), facets, and
    reasons: every matching feature with its contribution, largest first. The contributions sum to the similarity.

    Raises
    ------
    UnknownUserError
        If the warehouse does not have the user.

    """
    user_handle, other_handle = handle_in(reader, user_handle), handle_in(reader, other_handle)
    own, others = reader.features(user_handle), reader.features(other_handle)
    for handle, features in ((user_handle, own), (other_handle, others)):
        if not features:
            _known_user(reader, handle)
    facets = list(reader.edition.matching_facets)
    weights = {(facet, feature): weight for facet, feature, weight in others}
    reasons: list[Row] = []
    for facet, feature, weight in own:
        other_weight = weights.get((reader.edition.matching_facets[facet], feature))
        if other_weight is not None:
            reasons.append({"facet": facet, "feature": feature, "contribution": weight * other_weight})
    reasons.sort(key=lambda reason: (-reason["contribution"], facets.index(reason["facet"]), reason["feature"]))
    parts = dict.fromkeys(facets, 0.0)
    for reason in reasons:
        parts[reason["facet"]] += reason["contribution"]
    ranks = {row["similar_user_handle"]: row["rank"] for row in reader.similar(user_handle)}
    return {
        "user_handle": user_handle,
        "similar_user_handle": other_handle,
        "similarity": round(sum(parts.values()), DECIMALS),
        "rank": ranks.get(other_handle),
        "facets": _rounded(parts),
        "reasons": _rounded_reasons(reasons),
    }


def profile(reader: Reader, user_handle: Handle) -> Row:
    """Return a user: the row of users, the label of the cluster, and the features of each facet, largest weight first.

    Raises
    ------
    UnknownUserError
        If the warehouse does not have the user.

    """
    user_handle = handle_in(reader, user_handle)
    row = with_cluster(_known_user(reader, user_handle), reader.edition)
    facets: dict[str, list[Row]] = {facet: [] for facet in reader.edition.matching_facets}
    for facet, feature, weight in reader.features(user_handle):
        facets[facet].append({"feature": feature, "weight": round(weight, DECIMALS)})
    for features in facets.values():
        features.sort(key=lambda feature: (-feature["weight"], feature["feature"]))
    return {**row, "profile": facets}


def users_page(reader: Reader, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[Row]:
    """Return up to `limit` users by rising handle, the first or those after one, of one cluster (-1: none) or all."""
    return [with_cluster(row, reader.edition) for row in reader.users(after, limit, cluster_id)]


def courses_to_take(reader: Reader, user_handle: Handle, limit: int = 10) -> list[Row]:
    """Return courses that similar users viewed and the user has not.

    Returns
    -------
    Dicts of course_id, users (how many similar users viewed it), summed_similarity (over those users) and
    similar_user_handles (those users, most similar first). The largest summed_similarity comes first.

    Raises
    ------
    UnknownUserError
        If the warehouse does not have the user.

    """
    user_handle = handle_in(reader, user_handle)
    rows = reader.similar(user_handle)
    if not rows:
        _known_user(reader, user_handle)
    similarities = {row["similar_user_handle"]: row["similarity"] for row in rows}
    viewed = reader.courses([user_handle, *similarities])
    own = set(viewed.get(user_handle, ()))
    viewers: defaultdict[str, list[Handle]] = defaultdict(list)
    for other in similarities:
        for course in viewed.get(other, ()):
            if course not in own:
                viewers[course].append(other)
    courses: list[Row] = [
        {
            "course_id": course,
            "users": len(others),
            "summed_similarity": round(sum(similarities[other] for other in others), DECIMALS),
            "similar_user_handles": others,
        }
        for course, others in viewers.items()
    ]
    courses.sort(key=lambda course: (-course["summed_similarity"], course["course_id"]))
    return courses[:limit]


def with_cluster(row: Row, edition: Edition) -> Row:
    """Return a row with the label of its cluster after its cluster_id."""
    named = {}
    for name, value in row.items():
        named[name] = value
        if name == "cluster_id":
            named["cluster"] = edition.cluster_labels.get(value)
    return named


def _known_user(reader: Reader, user_handle: Handle) -> Row:
    row = reader.user(user_handle)
    if row is None:
        raise UnknownUserError(user_handle, reader.edition.version)
    return row


def _similar_user(row: Row, edition: Edition, is_same_profile: bool) -> Row:
    cluster_id = row["similar_cluster_id"]
    return {
        "rank": row["rank"],
        "similar_user_handle": row["similar_user_handle"],
        "similarity": round(row["similarity"], DECIMALS),
        "facets": {facet: round(row[f"{facet}_part"], DECIMALS) for facet in edition.matching_facets},
        "cosine_similarity": round(row["cosine_similarity"], DECIMALS),
        "cluster_id": cluster_id,
        "cluster": edition.cluster_labels.get(cluster_id),
        "is_same_profile": is_same_profile,
        "reasons": _rounded_reasons(row["top_reasons"]),
    }


def _rounded(parts: dict[str, float]) -> dict[str, float]:
    return {facet: round(part, DECIMALS) for facet, part in parts.items()}


def _rounded_reasons(reasons: Iterable[Row]) -> list[Row]:
    return [{**reason, "contribution": round(reason["contribution"], DECIMALS)} for reason in reasons]
