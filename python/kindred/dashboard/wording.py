"""Names and reasons in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from kindred.stores.base import Handle

_REASONS = {
    "courses": "both viewed **{feature}**",
    "course_tags": "both viewed courses on **{feature}**",
    "interests": "both follow **{feature}**",
    "assessments": "both were assessed in **{feature}**",
    "next_courses": "{other} viewed **{feature}**, predicted next for {user}",
    "taken_courses": "{user} viewed **{feature}**, predicted next for {other}",
    "view_time": "both spent time on **{feature}**",
    "authors": "both viewed courses by author **{feature}**",
    "levels": "both viewed courses of the level **{feature}**",
    "cluster": "both are in **{feature}**",
}

_FACET_TITLES = {
    "next_courses": "Predicted next courses",
    "taken_courses": "Predicted for the other user",
}
"""The facets whose title is not their name, as on the API's page."""


def reason(facet: str, feature: str, user_handle: Handle, other_handle: Handle) -> str:
    """Return why two users are similar, as Markdown; facets that an owner adds are called by their name."""
    pattern = _REASONS.get(facet, "both have **{feature}** (" + plain(facet) + ")")
    return pattern.format(feature=escaped(feature), user=escaped(str(user_handle)), other=escaped(str(other_handle)))


def facet_title(facet: str) -> str:
    """Return a facet as a heading: view_time is View time, next_courses Predicted next courses."""
    return _FACET_TITLES.get(facet) or title(facet)


def sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def plain(name: str) -> str:
    """Return the name of a column or facet as words: course_tags is course tags."""
    return name.replace("_", " ")


def title(name: str) -> str:
    """Return a name as a heading: user_handle is User handle, total_courses Courses, avg_score Average score."""
    return plain(name.removeprefix("total_").replace("avg_", "average_")).capitalize()


def listed(values: Any) -> list[str]:
    """Return a list column's value as a list of texts: an array of them, or an empty list for a null."""
    return [str(value) for value in values] if isinstance(values, list | np.ndarray) else []


def joined(values: Any) -> str:
    """Return a list column's value as one text to read, separated by commas; an empty text for a null."""
    return ", ".join(listed(values))


def escaped(text: str) -> str:
    r"""Escape a text for Markdown and Streamlit, which then show it unchanged: a_b is a\_b, and $ begins no formula."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#+-.!|~$:" else sign for sign in text)
