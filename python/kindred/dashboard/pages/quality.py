"""The page Quality: how good the similar users and the clusters are, measured from the data itself."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS
from kindred.dashboard.published import Answer, PublishedWarehouse, named_rows
from kindred.dashboard.widgets.answers import about, formatted, table

NDCG, RECALL = "hold_out_ndcg_at_20", "hold_out_recall_at_20"

WAYS = {
    "all_facets": "similar users",
    "all_facets_but_cluster": "similar users, without the cluster",
    "plain_cosine": "plain cosine",
    "popularity": "most popular courses",
}
"""The names of the ways to recommend; a single facet keeps its own name."""

CHARTS = (
    (RECALL, "How many hidden courses are found", "Recall@20"),
    (NDCG, "How high up they stand", "NDCG@20"),
)

AXIS_PIXELS = 60

CARD_COLUMNS = 4


def show(published: PublishedWarehouse) -> None:
    """Draw the page."""
    st.title("How good are the similar users?")
    hold_outs = published.ask("quality_hold_outs", is_single_facet=False)
    if hold_outs.frame.empty:
        st.info(
            "This build did not measure how many hidden courses similar users find. Build with `quality_splits` "
            "above 0, for example `dbt build --vars '{quality_splits: 3}'`. If it is above 0 already, the last table "
            "of this page says why there is nothing to hide.",
            icon=":material/visibility_off:",
        )
    else:
        _hold_outs(hold_outs)
        _single_facets(published.ask("quality_hold_outs", is_single_facet=True))
    _cards(published.ask("quality_evidence"), "Are they alike in other kinds of evidence?")
    _cards(published.ask("quality_lists"), "What are the lists of similar users like?")
    _cards(published.ask("quality_clusters"), "Are the clusters stable?")
    with st.expander("Everything that is measured", icon=":material/table_rows:"):
        table(published.ask("quality_measures"))


def _hold_outs(answer: Answer) -> None:
    frame = answer.frame
    st.markdown(f"#### {_lead(frame)}")
    st.markdown(
        "A fifth of the courses of every user who viewed five or more is hidden, and everything is computed again "
        "from the rest. Then the 20 most similar users vote for 20 courses: truly similar users have viewed what was "
        "hidden." + _gain(frame)
    )
    _pair_of_charts(frame)
    st.caption(
        "Longer bars are better; 1 means that all hidden courses are on top. The line at the end of a bar is the 95% "
        "interval: where the lines of two bars do not overlap, the difference is not due to chance."
    )
    about(answer)


def _single_facets(answer: Answer) -> None:
    if answer.frame.empty:
        return
    st.subheader("What does each kind of evidence find alone?", divider="gray")
    _pair_of_charts(answer.frame)
    st.caption(
        "Similar users by one facet at a time, measured on fewer users, so the intervals are longer. Facets that are "
        "compared with each other count as one."
    )
    about(answer)


def _pair_of_charts(frame: pd.DataFrame) -> None:
    for column, (measure, title, axis) in zip(st.columns(2, gap="large"), CHARTS, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.altair_chart(_bars(frame[frame["measure"] == measure], axis))


def _lead(frame: pd.DataFrame) -> str:
    """Return one sentence that says how many hidden courses each way to recommend finds."""
    found = frame[frame["measure"] == RECALL].set_index("way")["value"]
    said = {way: f"{found[way] * 100:.0f}" for way in ("all_facets", "plain_cosine", "popularity") if way in found}
    sentence = f"Of 100 courses that we hid, the similar users would have found {said['all_facets']}"
    others = [
        f"{name} {verb} {said[way]}"
        for way, name, verb in (
            ("plain_cosine", "plain cosine", "finds"),
            ("popularity", "the most popular courses", "would be right for"),
        )
        if way in said
    ]
    return "; ".join([sentence, *others]) + "."


def _gain(frame: pd.DataFrame) -> str:
    """Return one sentence that compares the similar users with plain cosine."""
    found = frame[frame["measure"] == NDCG].set_index("way")["value"]
    if not found.get("plain_cosine") or "all_facets" not in found:
        return ""
    ratio = found["all_facets"] / found["plain_cosine"]
    return f" By how high up the hidden courses stand, they are **{ratio:.1f} times as good** as plain cosine."


def _bars(frame: pd.DataFrame, axis: str) -> alt.LayerChart:
    """Draw a bar with its interval for each way to recommend, the best first."""
    names = [WAYS.get(way, wording.plain(way.removesuffix("_alone"))) for way in frame["way"]]
    shown = frame.assign(name=names, drawn_low=frame["interval_low"].fillna(frame["value"]))
    shown["drawn_high"] = frame["interval_high"].fillna(frame["value"])
    base = alt.Chart(shown).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=200, labelFontSize=13)),
        tooltip=[
            alt.Tooltip("name:N", title="found by"),
            alt.Tooltip("value:Q", format=".4f"),
            alt.Tooltip("interval_low:Q", format=".4f", title="95% from"),
            alt.Tooltip("interval_high:Q", format=".4f", title="to"),
        ],
    )
    bars = base.mark_bar(cornerRadius=1, size=16, opacity=0.75).encode(
        x=alt.X("value:Q", title=axis, axis=alt.Axis(tickCount=5)),
        color=alt.condition("datum.is_closest_users", alt.value(colours.CATEGORIES[0]), alt.value(colours.NONE)),
    )
    lines = base.mark_rule(strokeWidth=2, color=colours.CATEGORIES[2]).encode(x="drawn_low:Q", x2="drawn_high:Q")
    chart: alt.LayerChart = (bars + lines).properties(height=(BAR_PIXELS + 6) * len(names) + AXIS_PIXELS)
    return chart


def _cards(answer: Answer, heading: str) -> None:
    """Show each measure as a number, with its meaning below."""
    if answer.frame.empty:
        return
    st.subheader(heading, divider="gray")
    rows = list(named_rows(answer.frame))
    for start in range(0, len(rows), CARD_COLUMNS):
        for column, row in zip(st.columns(CARD_COLUMNS), rows[start : start + CARD_COLUMNS], strict=False):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{wording.sentence(wording.escaped(row.label))}**")  # a metric's label is cut off
                st.metric(row.label, _number(row.unit, row.value), label_visibility="collapsed")
                st.caption(wording.escaped(row.meaning))
    about(answer)


def _number(unit: str, value: float) -> str:
    return formatted("value_share" if unit == "share" else "value", value)
