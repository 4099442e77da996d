"""Charts that several pages draw."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from kindred.dashboard.drawing import colours
from kindred.dashboard.published import Published
from kindred.dashboard.wording import title

BAR_PIXELS = 24

FRAME_PIXELS = 190
"""What the axis and the legend of three lines need below the bars."""

LEGEND_PIXELS = 7
"""What each entry of a legend of two columns, which a phone has room for, needs more."""


def is_dark() -> bool:
    """Tell whether the page is in dark mode."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """Return the colour of texts among the marks of a chart; Streamlit sets that of axes and legends only."""
    return "#fafafa" if is_dark() else "#31333f"


def stacked_by_facet(published: Published, parts: pd.DataFrame, label: str, order: list[str]) -> alt.Chart:
    """Draw a bar of parts by facet for every label, in the given order from the top.

    Parameters
    ----------
    published
        Where the facets are from.
    parts
        Columns facet, part and the one that labels the bars, as text.
    label
        That column.
    order
        The labels, that of the first bar first.

    """
    facets = list(published.ask("facets").frame["facet"])
    colour = colours.of_categories(facets)
    seen = [facet for facet in facets if facet in set(parts["facet"])]
    shown = parts.assign(facet_title=parts["facet"].map(title), place=parts["facet"].map(facets.index))
    return (
        alt.Chart(shown)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X("sum(part)", title="similarity, by what it comes from", axis=alt.Axis(format=".3~f", tickCount=5)),
            y=alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(labelFontSize=13, labelLimit=220)),
            color=alt.Color(
                "facet_title:N",
                scale=alt.Scale(domain=[title(facet) for facet in seen], range=[colour[facet] for facet in seen]),
                legend=alt.Legend(title=None, orient="bottom", columns=2, labelLimit=140, symbolType="square"),
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip(f"{label}:N", title="user"),
                alt.Tooltip("facet_title:N", title="comes from"),
                alt.Tooltip("part:Q", format=".4f", title="adds"),
            ],
        )
        .properties(height=BAR_PIXELS * len(order) + FRAME_PIXELS + LEGEND_PIXELS * len(seen))
    )
