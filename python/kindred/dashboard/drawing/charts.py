"""Charts that several pages draw."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from kindred.dashboard.drawing import colours
from kindred.dashboard.published import PublishedWarehouse
from kindred.dashboard.wording import facet_title

BAR_PIXELS = 24

FRAME_PIXELS = 190
"""The height of the axis and of a legend of three lines, below the bars."""

LEGEND_PIXELS = 14
"""The height that each entry adds to a legend with one column, whose titles fit on a phone."""


def is_dark() -> bool:
    """Return whether the page is in dark mode."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """Return the colour of text inside a chart; Streamlit sets the colour of axes and legends only."""
    return "#fafafa" if is_dark() else "#31333f"


def stacked_by_facet(published: PublishedWarehouse, parts: pd.DataFrame, label: str, order: list[str]) -> alt.Chart:
    """Draw a bar for each label, stacked by facet.

    Parameters
    ----------
    published
        The warehouse that names the facets.
    parts
        Columns facet, part and `label`.
    label
        The column of text that names the bars.
    order
        The labels from the top down.

    """
    facets = list(published.ask("facets").frame["facet"])
    colour = colours.of_categories(facets)
    seen = [facet for facet in facets if facet in set(parts["facet"])]
    shown = parts.assign(facet_title=parts["facet"].map(facet_title), position=parts["facet"].map(facets.index))
    chart: alt.Chart = (
        alt.Chart(shown)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X("sum(part)", title="similarity by facet", axis=alt.Axis(format=".3~f", tickCount=5)),
            y=alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(labelFontSize=13, labelLimit=220)),
            color=alt.Color(
                "facet_title:N",
                scale=alt.Scale(domain=[facet_title(facet) for facet in seen], range=[colour[facet] for facet in seen]),
                legend=alt.Legend(title=None, orient="bottom", columns=1, labelLimit=240, symbolType="square"),
            ),
            order=alt.Order("position:Q"),
            tooltip=[
                alt.Tooltip(f"{label}:N", title="user"),
                alt.Tooltip("facet_title:N", title="facet"),
                alt.Tooltip("part:Q", format=".4f", title="adds"),
            ],
        )
        .properties(height=BAR_PIXELS * len(order) + FRAME_PIXELS + LEGEND_PIXELS * len(seen))
    )
    return chart
