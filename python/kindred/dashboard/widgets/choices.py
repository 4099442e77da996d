"""What a reader chooses on several pages: a user, a cluster."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.published import Published

NO_CLUSTER = -1

ALL_CLUSTERS = -2
"""What a query takes in place of a cluster where none is asked for: no user is in it, nor is it -1, in no cluster."""


def typed_user(published: Published, typed: str) -> int | None:
    """Return the user that a reader typed; None, and say why, where it is none."""
    text = typed.strip()
    if not text:
        return None
    if not _is_number(text) or int(text) < 1:
        st.warning(f"A user handle is a whole number of 1 or more, not “{wording.escaped(text)}”.")
        return None
    if published.ask("find_profile", user_handle=int(text)).frame.empty:
        st.warning(f"There is no user {int(text)} in the warehouse. The page Find has a list to pick from.")
        return None
    return int(text)


def choose_cluster(clusters: pd.DataFrame, label: str, nothing: str) -> int | None:
    """Let a reader choose a cluster, which the URL holds as ?cluster=; say so where that is none.

    Parameters
    ----------
    clusters
        Columns cluster_id and label: those to choose from.
    label
        Stands above the field.
    nothing
        What stands for no cluster.

    """
    names = {NO_CLUSTER: nothing} | {
        int(row.cluster_id): cluster_name(row.cluster_id, row.label) for row in clusters.itertuples()
    }
    asked = st.query_params.get("cluster", "").strip()
    chosen = int(asked) if _is_number(asked) else NO_CLUSTER
    if asked and (chosen == NO_CLUSTER or chosen not in names):
        st.warning(f"There is no cluster “{wording.escaped(asked)}”: choose one from the list.")
        chosen = NO_CLUSTER
    # The URL leads, so that a link to another cluster works as well as a choice from the list.
    st.session_state.chosen_cluster = chosen
    st.selectbox(label, list(names), format_func=names.get, key="chosen_cluster", on_change=_take_chosen)
    return None if chosen == NO_CLUSTER else chosen


def look_at_cluster(cluster_id: int) -> None:
    """Make it the cluster of the page: the field follows the URL."""
    if cluster_id == NO_CLUSTER:
        st.query_params.pop("cluster", None)
    else:
        st.query_params["cluster"] = str(cluster_id)


def choose_filter(label: str, values: Iterable[str], *, key: str, width: int) -> str:
    """Let a reader choose one of some values, which the URL holds under the key, or all: the empty text."""
    return st.selectbox(
        label, ("", *values), format_func=lambda value: value or "all", key=key, bind="query-params", width=width
    )


def cluster_name(cluster_id: int, label: str | None) -> str:
    """Return how a cluster is called in lists; one without tags has its number only."""
    return f"{cluster_id}: {label}" if isinstance(label, str) else f"{cluster_id}: without a label"


def group_of(user: pd.Series) -> str:
    """Return in which cluster a user is, as a sentence; a row of find_profile."""
    if user["cluster_id"] >= 0:
        return f"In cluster {user['cluster_id']}, **{wording.escaped(user['cluster'] or 'without a label')}**."
    if user["nearest_cluster"]:
        return f"In no cluster; the nearest is **{wording.escaped(user['nearest_cluster'])}**."
    return "In no cluster, and none is near."


def _take_chosen() -> None:
    look_at_cluster(st.session_state.chosen_cluster)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
