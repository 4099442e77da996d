"""The charts of the page Clusters."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS, ink
from kindred.dashboard.published import named_rows
from kindred.dashboard.widgets.choices import cluster_name

BLUE, RED, GREY = colours.CATEGORIES[0], colours.CATEGORIES[2], colours.NONE

NAMED_CLUSTERS = 8
"""The number of clusters, the largest, whose names are in the chart; the others are named in the tooltip."""

SHOWN_TAGS = 10


def sizes(clusters: pd.DataFrame, random_similarity: float) -> alt.LayerChart | alt.FacetChart:
    """Draw clusters by size and cohesion, with a line at the similarity of two random users.

    Parameters
    ----------
    clusters
        The rows of the query `clusters` that have a cohesion.
    random_similarity
        The mean similarity of any two users; NaN draws no line.

    """
    names = [cluster_name(row.cluster_id, row.label) for row in named_rows(clusters)]
    shown = clusters.assign(name=names, short_name=[name.split(", ")[0] for name in names])
    x = alt.X("users:Q", title="users", scale=alt.Scale(type="log", nice=False, padding=20), axis=alt.Axis(format="~s"))
    y = alt.Y("cohesion:Q", title="cohesion: mean similarity of two members")
    tooltip = [
        alt.Tooltip("name:N", title="cluster"),
        alt.Tooltip("users:Q", format=","),
        alt.Tooltip("core_users:Q", title="core users", format=","),
        alt.Tooltip("cohesion:Q", format=".3f"),
    ]
    points = alt.Chart(shown).mark_circle(size=90, color=BLUE, opacity=0.75).encode(x=x, y=y, tooltip=tooltip)
    texts = (
        alt.Chart(shown.head(NAMED_CLUSTERS))
        .mark_text(align="right", dx=-8, limit=200, fontSize=12, color=ink())
        .encode(x=x, y=y, text="short_name:N")
    )
    random = (
        alt.Chart(pd.DataFrame({"cohesion": [random_similarity]}).dropna())
        .mark_rule(color=RED, strokeDash=[5, 4], size=2)
        .encode(y="cohesion:Q", tooltip=[alt.Tooltip("cohesion:Q", title="two random users", format=".3f")])
    )
    return alt.layer(random, points, texts).properties(height=360)


def tags(shares: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of members, and of all users, who have each tag: rows of clusters_tags for one facet."""
    shown = shares.head(SHOWN_TAGS).assign(times=lambda rows: rows["lift"].map("{:.1f} times".format))
    y = alt.Y("tag:N", sort=list(shown["tag"]), title=None, axis=alt.Axis(labelLimit=170))
    # Room for the text to the right of the longest bar.
    scale = alt.Scale(domain=[0, float(shown["member_share"].max()) * 1.3])
    x = alt.X(
        "member_share:Q", title="share of members; line: share of all users", axis=alt.Axis(format="%"), scale=scale
    )
    tooltip = [
        "tag:N",
        alt.Tooltip("member_share:Q", title="share of members", format=".1%"),
        alt.Tooltip("user_share:Q", title="share of all users", format=".1%"),
        alt.Tooltip("lift:Q", title="times more often", format=".1f"),
    ]
    bars = alt.Chart(shown).mark_bar(color=BLUE, cornerRadius=1).encode(x=x, y=y, tooltip=tooltip)
    texts = alt.Chart(shown).mark_text(align="left", dx=4, color=ink()).encode(x=x, y=y, text="times:N")
    all_users = (
        alt.Chart(shown)
        .mark_tick(color=RED, thickness=3)
        .encode(x=alt.X("user_share:Q", scale=scale), y=y, tooltip=tooltip)
    )
    return alt.layer(bars, texts, all_users).properties(height=BAR_PIXELS * len(shown) + 60)


def levels(shares: pd.DataFrame) -> alt.Chart:
    """Draw the levels of members and of all users: the answer to clusters_levels."""
    whose = {"member_share": "members", "user_share": "all users"}
    shown = shares.melt("level", list(whose), "whose", "share").assign(whose=lambda rows: rows["whose"].map(whose))
    chart: alt.Chart = (
        alt.Chart(shown)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X("share:Q", title=None, axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("level:N", sort=list(shares["level"]), title=None),
            yOffset=alt.YOffset("whose:N", sort=list(whose.values())),
            color=alt.Color(
                "whose:N",
                scale=alt.Scale(domain=list(whose.values()), range=[BLUE, GREY]),
                legend=alt.Legend(title=None, orient="bottom", symbolType="square"),
            ),
            tooltip=["level:N", alt.Tooltip("whose:N", title="of"), alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=2 * BAR_PIXELS * len(shares) + 90)
    )
    return chart


def search(considered: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw the result of each eps: the answer to clusters_search."""
    what = {"largest_cluster_share": "in the largest cluster", "noise_share": "in no cluster"}
    shown = considered.melt(["eps", "clusters"], list(what), "what", "share").assign(
        what=lambda rows: rows["what"].map(what)
    )
    lines = (
        alt.Chart(shown)
        .mark_line(size=2.5)
        .encode(
            x=alt.X("eps:Q", title="eps: the larger, the looser"),
            y=alt.Y("share:Q", title="share of users", axis=alt.Axis(format="%")),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=list(what.values()), range=[BLUE, RED]),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            tooltip=[
                alt.Tooltip("eps:Q", format=".3f"),
                alt.Tooltip("what:N", title="users"),
                alt.Tooltip("share:Q", format=".1%"),
                alt.Tooltip("clusters:Q"),
            ],
        )
    )
    chosen = (
        alt.Chart(considered[considered["is_chosen"]])
        .mark_rule(size=2, strokeDash=[5, 4], color=GREY)
        .encode(x="eps:Q", tooltip=[alt.Tooltip("eps:Q", title="chosen", format=".3f"), "reason:N"])
    )
    return alt.layer(chosen, lines).properties(height=300)
