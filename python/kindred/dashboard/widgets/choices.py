"""Choices that several pages offer: a user, a cluster, a filter."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.published import PublishedWarehouse, named_rows
from kindred.stores.base import Handle

NO_CLUSTER = -1

ALL_CLUSTERS = -2
"""Stands for all clusters in a query: unlike -1, which stands for no cluster, no user has it."""


def type_user(label: str, name: str, placeholder: str) -> str:
    """Let a reader type a user handle, which the URL holds under a name; return the text.

    Streamlit's own binding of a field to the URL is not used: it takes the text out of the URL when a link leads to
    another page with the same name, and now and then it stays out.
    """
    field = f"typed_{name}"
    # The URL decides, as for a cluster.
    st.session_state[field] = st.query_params.get(name, "")
    return st.text_input(
        label, key=field, placeholder=placeholder, width=220, on_change=_apply_typed_user, args=(name, field)
    )


def select_user(name: str, user_handle: Handle) -> None:
    """Select a user through the URL, which the field of this name follows; the empty text selects none."""
    if user_handle == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(user_handle)


def typed_user(published: PublishedWarehouse, typed: str) -> Handle | None:
    """Return the user that a reader typed, or None; warn if the text is not a user."""
    text = typed.strip()
    if not text:
        return None
    handle = published.edition.handle(text)
    if handle is None or published.ask("find_profile", user_handle=handle).frame.empty:
        st.warning(
            f"There is no user {wording.escaped(text)} in the warehouse. Pick one from the list on the page Find."
        )
        return None
    return handle


def choose_cluster(clusters: pd.DataFrame, label: str, placeholder: str) -> int | None:
    """Let a reader choose a cluster, which the URL holds as ?cluster=; warn if the URL names an unknown one.

    Parameters
    ----------
    clusters
        Columns cluster_id and label: the choices.
    label
        The text above the field.
    placeholder
        The text of the choice of no cluster.

    """
    names = {NO_CLUSTER: placeholder} | {
        int(row.cluster_id): cluster_name(row.cluster_id, row.label) for row in named_rows(clusters)
    }
    asked = st.query_params.get("cluster", "").strip()
    chosen = int(asked) if _is_number(asked) else NO_CLUSTER
    if asked and (chosen == NO_CLUSTER or chosen not in names):
        st.warning(f"There is no cluster “{wording.escaped(asked)}”. Choose one from the list.")
        chosen = NO_CLUSTER
    # The URL decides, so that a link to another cluster works as well as a choice from the list.
    st.session_state.chosen_cluster = chosen
    st.selectbox(
        label, list(names), format_func=names.__getitem__, key="chosen_cluster", on_change=_apply_chosen_cluster
    )
    return None if chosen == NO_CLUSTER else chosen


def select_cluster(cluster_id: int) -> None:
    """Select a cluster through the URL, which the field follows."""
    if cluster_id == NO_CLUSTER:
        st.query_params.pop("cluster", None)
    else:
        st.query_params["cluster"] = str(cluster_id)


def choose_filter(label: str, values: Iterable[str], *, key: str, width: int) -> str:
    """Let a reader choose a value, which the URL holds under the key; the empty text stands for all."""
    return st.selectbox(
        label, ("", *values), format_func=lambda value: value or "all", key=key, bind="query-params", width=width
    )


def cluster_name(cluster_id: int, label: str | None) -> str:
    """Return the name of a cluster in lists; a cluster without tags has no label."""
    return f"{cluster_id}: {label}" if isinstance(label, str) else f"{cluster_id}: without a label"


def cluster_sentence(user: pd.Series) -> str:
    """Return the cluster of a user, a row of find_profile, as a sentence."""
    if user["cluster_id"] >= 0:
        return f"In cluster {user['cluster_id']}, **{wording.escaped(user['cluster'] or 'without a label')}**."
    if user["nearest_cluster"]:
        return f"In no cluster; the nearest is **{wording.escaped(user['nearest_cluster'])}**."
    return "In no cluster, and none is near."


def _apply_typed_user(name: str, field: str) -> None:
    select_user(name, st.session_state[field].strip())


def _apply_chosen_cluster() -> None:
    select_cluster(st.session_state.chosen_cluster)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
