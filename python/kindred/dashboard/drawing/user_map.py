"""Draw the map of all users with deck.gl, on the browser's graphics and without a map of the world below."""

from __future__ import annotations

import json
import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pydeck
from pydeck.bindings.json_tools import default_serialize

from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.published import named_rows
from kindred.stores.base import Handle

DARK, LIGHT = [14, 17, 23], [255, 255, 255]
"""RGB: text and background in light mode, background and text in dark mode."""

NO_CLUSTER_IN_DARK = "#5C5C5C"
"""Users in no cluster, in dark mode: there, light grey would stand out most."""

UNITS = 10_000
"""The length of the longer side of the map: positions are sent in whole units."""

MAP_SHARE = 0.94
"""The longer side of the map, as a share of the height of the drawing."""

LABEL_PIXELS = 0.56
"""The font size of labels, per square root of the height of the drawing: a smaller drawing has smaller labels."""

POINT_SHARE = 0.0035
"""The radius of a point as a share of the map, for 10,000 users; more users have smaller points."""

FADED = 0.02
"""The opacity of users outside the selected cluster; deck.gl draws the 2.2nd root of it."""

OPACITY = 0.8

HANDLE_INDEX = 3
"""The position of the handle among the values that are sent for a user."""

TOOLTIP = {
    "html": "<b>User {3}</b><br>{4}<br>{5}",
    "style": {"maxWidth": "320px", "fontFamily": "sans-serif", "fontSize": "13px", "borderRadius": "6px"},
}


class CompactDeck(pydeck.Deck):  # type: ignore[misc]  # pydeck has no types
    """A drawing whose JSON has no white space: pydeck puts each number on a line of its own."""

    def to_json(self) -> str:
        """Return the drawing as JSON."""
        return json.dumps(self, default=default_serialize, separators=(",", ":"))


def drawn_map(
    users: pd.DataFrame,
    clusters: pd.DataFrame,
    *,
    cluster: int | None,
    user: Handle | None,
    similar: pd.DataFrame | None,
    is_dark: bool,
    height: int,
) -> pydeck.Deck:
    """Draw all users, the labels of the clusters, and what the reader has selected.

    Parameters
    ----------
    users, clusters, similar
        The answers to map_users, map_clusters and, if a user is marked, map_similar_users.
    cluster
        The selected cluster: the others are faded.
    user
        The user to mark, with lines to the similar users. The first row of `similar` is the user.
    is_dark
        Whether the background is dark.
    height
        The height of the drawing, in pixels.

    """
    corner = users[["x", "y"]].min().to_numpy()
    size = max(float(np.max(users[["x", "y"]].max().to_numpy() - corner)), 1e-9)

    def positions_of(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        units: npt.NDArray[np.float64] = (frame[["x", "y"]].to_numpy() - corner) / size * UNITS
        return units.round().astype(np.int64)

    ink, background = (LIGHT, DARK) if is_dark else (DARK, LIGHT)
    layers = _points(
        users, positions_of(users), clusters, cluster, user, NO_CLUSTER_IN_DARK if is_dark else colours.NONE
    )
    label_pixels = round(LABEL_PIXELS * height**0.5)
    layers.append(_labels(clusters, positions_of(clusters), cluster, ink, background, label_pixels))
    if user is not None and similar is not None:
        own, *others = positions_of(similar).tolist()
        layers += _marks(user, own, others, ink)
    target, width = positions_of(users).max(axis=0) / 2, UNITS
    if cluster is not None:
        row = clusters[clusters["cluster_id"] == cluster]
        target = positions_of(row)[0]
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
    positions: npt.NDArray[np.int64],
    clusters: pd.DataFrame,
    cluster: int | None,
    user: Handle | None,
    no_cluster_colour: str,
) -> list[pydeck.Layer]:
    """Return a layer per colour, so that points are sent without theirs; users in no cluster lie below the others."""
    colour = dict(zip(clusters["cluster_id"], colours.of_positions(clusters[["x", "y"]].to_numpy()), strict=True))
    names = users["label"].fillna("").where(users["cluster_id"] >= 0, "in no cluster")
    subjects = users["top_course_tags"].map(wording.joined)
    columns = [
        *positions.T.tolist(),
        [0] * len(users),
        users["user_handle"].tolist(),
        names.tolist(),
        subjects.tolist(),
    ]
    rows = pd.Series(list(zip(*columns, strict=True)), dtype=object)
    groups = pd.Series([colour.get(cluster_id, colours.NONE) for cluster_id in users["cluster_id"]], dtype=object)
    radius = UNITS * POINT_SHARE * min(10_000 / len(users), 4) ** 0.5
    layers = []
    for code in sorted(colours.CATEGORIES, key=colours.NONE.__ne__):
        for is_selected in (False, True):
            part = rows[(groups == code) & ((users["cluster_id"] == cluster) == is_selected)]
            if len(part):
                layers.append(
                    pydeck.Layer(
                        "ScatterplotLayer",
                        part.tolist(),
                        # With the user in the id, Streamlit forgets the click; otherwise it greys all other users.
                        id=f"{code}-{is_selected}-{user}",
                        get_position="-",
                        get_radius=radius,
                        radius_min_pixels=1,
                        radius_max_pixels=7,
                        get_fill_color=_rgb(no_cluster_colour if code == colours.NONE else code),
                        opacity=OPACITY if cluster is None or is_selected else FADED,
                        pickable=True,
                    )
                )
    return layers


def _labels(
    clusters: pd.DataFrame,
    positions: npt.NDArray[np.int64],
    cluster: int | None,
    ink: list[int],
    background: list[int],
    pixels: int,
) -> pydeck.Layer:
    """Return the labels of the clusters; those of smaller clusters are drawn if there is room."""
    rows = [
        {"x": x, "y": y, "text": row.short_label, "users": row.users}
        for (x, y), row in zip(positions.tolist(), named_rows(clusters), strict=True)
        if isinstance(row.short_label, str) and cluster in (None, row.cluster_id)
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
        get_background_color=[*background, 190],
        background_padding=[3, 1],
        character_set="'auto'",
        extensions=[{"@@type": "CollisionFilterExtension"}],
        get_collision_priority="users",
        collision_test_props={"sizeScale": 2},
    )


def _marks(user: Handle, place: list[int], similar: list[list[int]], ink: list[int]) -> list[pydeck.Layer]:
    """Return a ring and the handle for the user, and lines to similar users."""
    return [
        pydeck.Layer(
            "LineLayer",
            [{"there": other} for other in similar],
            id="lines",
            get_source_position=place,
            get_target_position="there",
            get_color=[*ink, 150],
            get_width=1.5,
        ),
        pydeck.Layer(
            "ScatterplotLayer",
            [{"place": place, "radius": 9}, *({"place": other, "radius": 4} for other in similar)],
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
            character_set="'auto'",
            font_family="'sans-serif'",
            font_weight="'bold'",
        ),
    ]


def _rgb(code: str) -> list[int]:
    return list(bytes.fromhex(code[1:]))
