"""Colours for every kind of colour vision, on a light or a dark background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ACCENT = "#2f62c9"
"""The colour of links and buttons, the same as on the API's page."""

CATEGORIES = (
    "#4477AA", "#66CCEE", "#EE6677", "#AA3377", "#228833", "#CCBB44", "#882255", "#44AA99", "#999933", "#BBBBBB",
)  # fmt: skip
"""Paul Tol's schemes bright and muted (Tol 2021: Colour schemes, SRON technical note)."""

NONE = "#BBBBBB"
"""The colour of anything without a category."""


def of_categories(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in order; the eleventh name has the colour of the first."""
    return {name: CATEGORIES[index % len(CATEGORIES)] for index, name in enumerate(names)}


def of_positions(positions: npt.NDArray[np.float64]) -> list[str]:
    """Return a colour for each position, such that positions near each other differ.

    Each position in turn takes the colour whose nearest position so far is the farthest away; unused colours come
    first. Grey is not used: it marks users in no cluster.

    Parameters
    ----------
    positions
        float64, shape (positions, 2), in the order in which they take colours.

    """
    colours = [colour for colour in CATEGORIES if colour != NONE]
    nearest = np.full((len(colours), len(positions)), np.inf)  # from each colour to each position
    assigned = []
    for number, position in enumerate(positions):
        colour = int(nearest[:, number].argmax())
        nearest[colour] = np.minimum(nearest[colour], np.hypot(*(positions - position).T))
        assigned.append(colours[colour])
    return assigned
