"""Colours that people with any kind of colour vision can tell apart, on light and on dark ground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ACCENT = "#2f62c9"
"""The colour of links and buttons, as on the page of the API."""

CATEGORIES = (
    "#4477AA", "#66CCEE", "#EE6677", "#AA3377", "#228833", "#CCBB44", "#882255", "#44AA99", "#999933", "#BBBBBB",
)  # fmt: skip
"""Paul Tol's schemes bright and muted (Tol 2021: Colour schemes, SRON technical note)."""

NONE = "#BBBBBB"
"""What belongs to no category."""


def of_categories(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in their order; from the eleventh on they begin anew."""
    return {name: CATEGORIES[place % len(CATEGORIES)] for place, name in enumerate(names)}


def of_places(places: np.ndarray) -> list[str]:
    """Return a colour for each place such that places near to each other differ.

    One place after the other takes the colour whose nearest place so far is the farthest away; a colour that has none
    yet comes first. Grey is left to what belongs nowhere.

    Parameters
    ----------
    places
        float64, shape (places, 2): the earlier ones choose first.

    """
    colours = [colour for colour in CATEGORIES if colour != NONE]
    nearest = np.full((len(colours), len(places)), np.inf)  # from a colour to each place
    taken = []
    for number, place in enumerate(places):
        colour = int(nearest[:, number].argmax())
        nearest[colour] = np.minimum(nearest[colour], np.hypot(*(places - place).T))
        taken.append(colours[colour])
    return taken
