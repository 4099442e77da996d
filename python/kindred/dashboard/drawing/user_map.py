"""How the map of all users is drawn: by deck.gl, in the browser's graphics, without a map of the world below."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pydeck
from pydeck.bindings.json_tools import default_serialize

from kindred.dashboard.drawing import colours

COAL, PAPER = [14, 17, 23], [255, 255, 255]
"""Text and ground in light mode, ground and text in dark mode."""

NOBODY_IN_DARK = "#5C5C5C"
"""What is in no cluster, on a dark ground: there, light grey would stand out most."""

UNITS = 10_000
"""The longer side of the map in whole units, by which places are sent."""

MAP_SHARE = 0.94
"""How much of the drawing's height the longer side of the map takes."""

LABEL_PIXELS = 0.56
"""The size of labels for each pixel of the square root of the drawing's height: smaller where it is small."""

POINT_SHARE = 0.0035
"""The radius of a point in proportion to the map where there are 10,000 users; the more, the smaller."""

FADED = 0.02
"""The opacity of what is not looked at; deck.gl draws the 2.2nd root of it."""

OPACITY = 0.8

HANDLE_PLACE = 3
"""Where the handle stands in what is sent of a user."""

TOOLTIP = {
    "html": "<b>User {3}</b><br>{4}<br>{5}",
    "style": {"maxWidth": "320px", "fontFamily": "sans-serif", "fontSize": "13px", "borderRadius": "6px"},
}


class CompactDeck(pydeck.Deck):
    """A drawing that is sent without blanks: pydeck indents its JSON, each number on a line of its own."""

    def to_json(self) -> str:
        """Return the drawing as JSON."""
        return json.dumps(self, default=default_serialize, separators=(",", ":"))


def drawn_map(
    users: pd.DataFrame,
    clusters: pd.DataFrame,
    *,
    cluster: int | None,
    user: int | None,
    closest: pd.DataFrame | None,
    is_dark: bool,
    height: int,
) -> pydeck.Deck:
    """Draw all users, the labels of the clusters, and what is chosen.

    Parameters
    ----------
    users, clusters, closest
        The answers to map_users, map_clusters and, where there is a user, map_closest.
    cluster
        The cluster to look at: others are faded.
    user
        The user to mark, with lines to the closest; the first row of closest says where, then come these.
    is_dark
        Whether the ground is dark.
    height
        Of the drawing, in pixels.

    """
    corner = users[["x", "y"]].min().to_numpy()
    size = max(float(np.max(users[["x", "y"]].max().to_numpy() - corner)), 1e-9)

    def placed(frame: pd.DataFrame) -> np.ndarray:
        return ((frame[["x", "y"]].to_numpy() - corner) / size * UNITS).round().astype(int)

    ink, ground = (PAPER, COAL) if is_dark else (COAL, PAPER)
    layers = _points(users, placed(users), clusters, cluster, user, NOBODY_IN_DARK if is_dark else colours.NONE)
    label_pixels = round(LABEL_PIXELS * height**0.5)
    layers.append(_labels(clusters, placed(clusters), cluster, ink, ground, label_pixels))
    if user is not None:
        own, *others = placed(closest).tolist()
        layers += _marked(user, own, others, ink)
    target, width = placed(users).max(axis=0) / 2, UNITS
    if cluster is not None:
        row = clusters[clusters["cluster_id"] == cluster]
        target = placed(row)[0]
        width = max(row[["x_span", "y_span"]].to_numpy().max() / size * UNITS * 2, UNITS / 20)
    return CompactDeck(
        layers,
        views=[pydeck.View(type="OrthographicView", controller=True, flipY=False)],
        initial_view_state=pydeck.ViewState(
            target=[*map(float, target), 0],
            zoom=round(math.log2(height * MAP_SHARE / width), 2),
            min_zoom=-6,
            max_zoom=4,
        ),
        map_provider=None,
        map_style=None,
        tooltip=TOOLTIP,
    )


def _points(
    users: pd.DataFrame,
    places: np.ndarray,
    clusters: pd.DataFrame,
    cluster: int | None,
    user: int | None,
    nobody: str,
) -> list[pydeck.Layer]:
    """Return a layer for each colour, so that none is sent with every point; users in no cluster lie below."""
    colour = dict(zip(clusters["cluster_id"], colours.of_places(clusters[["x", "y"]].to_numpy()), strict=True))
    names = users["label"].fillna("").where(users["cluster_id"] >= 0, "in no cluster")
    subjects = users["top_course_tags"].fillna("")
    columns = [*places.T.tolist(), [0] * len(users), users["user_handle"].tolist(), names.tolist(), subjects.tolist()]
    rows = pd.Series(list(zip(*columns, strict=True)), dtype=object)
    groups = pd.Series([colour.get(cluster_id, colours.NONE) for cluster_id in users["cluster_id"]], dtype=object)
    radius = UNITS * POINT_SHARE * min(10_000 / len(users), 4) ** 0.5
    layers = []
    for code in sorted(colours.CATEGORIES, key=colours.NONE.__ne__):
        for is_looked_at in (False, True):
            part = rows[(groups == code) & ((users["cluster_id"] == cluster) == is_looked_at)]
            if len(part):
                layers.append(
                    pydeck.Layer(
                        "ScatterplotLayer",
                        part.tolist(),
                        # What was clicked is forgotten once it is marked: else Streamlit greys all others.
                        id=f"{code}-{is_looked_at}-{user}",
                        get_position="-",
                        get_radius=radius,
                        radius_min_pixels=1,
                        radius_max_pixels=7,
                        get_fill_color=_rgb(nobody if code == colours.NONE else code),
                        opacity=OPACITY if cluster is None or is_looked_at else FADED,
                        pickable=True,
                    )
                )
    return layers


def _labels(
    clusters: pd.DataFrame, places: np.ndarray, cluster: int | None, ink: list[int], ground: list[int], pixels: int
) -> pydeck.Layer:
    """Return what the clusters are about, as text; the smaller ones where there is room."""
    rows = [
        {"x": x, "y": y, "text": ", ".join(row.label.split(", ")[:2]), "users": row.users}
        for (x, y), row in zip(places.tolist(), clusters.itertuples(), strict=True)
        if isinstance(row.label, str) and cluster in (None, row.cluster_id)
    ]
    return pydeck.Layer(
        "TextLayer",
        rows,
        id="labels",
        get_position="[x, y]",
        get_text="text",
        get_size=pixels,
        get_color=ink,
        font_family="'sans-serif'",
        font_weight="'bold'",
        background=True,
        get_background_color=[*ground, 190],
        background_padding=[3, 1],
        character_set="'auto'",
        extensions=[{"@@type": "CollisionFilterExtension"}],
        get_collision_priority="users",
        collision_test_props={"sizeScale": 2},
    )


def _marked(user: int, place: list[int], closest: list[list[int]], ink: list[int]) -> list[pydeck.Layer]:
    """Return a ring around the user with the handle, and lines to the closest."""
    return [
        pydeck.Layer(
            "LineLayer",
            [{"there": other} for other in closest],
            id="lines",
            get_source_position=place,
            get_target_position="there",
            get_color=[*ink, 150],
            get_width=1.5,
        ),
        pydeck.Layer(
            "ScatterplotLayer",
            [{"place": place, "radius": 9}, *({"place": other, "radius": 4} for other in closest)],
            id="rings",
            get_position="place",
            get_radius="radius",
            radius_units="'pixels'",
            filled=False,
            stroked=True,
            get_line_color=ink,
            line_width_units="'pixels'",
            get_line_width=2,
        ),
        pydeck.Layer(
            "TextLayer",
            [{"place": place, "text": f"User {user}"}],
            id="handle",
            get_position="place",
            get_text="text",
            get_size=16,
            get_color=ink,
            get_pixel_offset=[0, -20],
            font_family="'sans-serif'",
            font_weight="'bold'",
        ),
    ]


def _rgb(code: str) -> list[int]:
    return list(bytes.fromhex(code[1:]))
