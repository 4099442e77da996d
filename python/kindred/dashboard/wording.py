"""What tables say, in words."""

from __future__ import annotations

_REASONS = {
    "courses": "both viewed **{feature}**",
    "course_tags": "both viewed courses on **{feature}**",
    "interests": "both follow **{feature}**",
    "assessments": "both were assessed in **{feature}**",
    "next_courses": "{other} took **{feature}**, to which the courses of {user} lead",
    "taken_courses": "{user} took **{feature}**, to which the courses of {other} lead",
    "view_time": "both spent time on **{feature}**",
    "authors": "both viewed courses by author **{feature}**",
    "levels": "both viewed courses of the level **{feature}**",
    "cluster": "both are in **{feature}**",
}


def reason(facet: str, feature: str, user_handle: int, other_handle: int) -> str:
    """Return why two users are similar, as Markdown; a facet of one's own is named as it is."""
    pattern = _REASONS.get(facet, "both have **{feature}** (" + plain(facet) + ")")
    return pattern.format(feature=escaped(feature), user=user_handle, other=other_handle)


def sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def plain(name: str) -> str:
    """Return a name of a column or a facet as words: course_tags is course tags."""
    return name.replace("_", " ")


def title(name: str) -> str:
    """Return a name as a heading: user_handle is User handle, total_courses Courses, avg_score Average score."""
    return plain(name.removeprefix("total_").replace("avg_", "average_")).capitalize()


def escaped(text: str) -> str:
    r"""Return a text that Markdown and Streamlit leave as it is: a_b is a\_b, and $ begins no formula."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#+-.!|~$:" else sign for sign in text)
