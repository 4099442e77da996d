"""Small platforms with every mix of evidence: each file about users with rows or its header only, in many shapes."""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

COLUMNS = {
    "course_tags": ("course_id", "course_tags"),
    "user_assessment_scores": ("user_handle", "assessment_tag", "user_assessment_date", "user_assessment_score"),
    "user_course_views": ("user_handle", "view_date", "course_id", "author_handle", "level", "view_time_seconds"),
    "user_interests": ("user_handle", "interest_tag", "date_followed"),
}
USER_FILES = ("user_course_views", "user_interests", "user_assessment_scores")
LEVELS = ("Beginner", "Intermediate", "Advanced")
TAGS = ("java", "python", "kafka", "docker", "react", "sql", "excel", "photoshop", "linux", "maya")

Items = list[list[int]]
"""For each user, the numbers of what the user viewed, follows and was assessed in."""


def mixed(users: int) -> Items:
    chance = random.Random(users)
    return [sorted(chance.sample(range(40), chance.randint(1, 12))) for _ in range(users)]


def one_with_all() -> Items:
    return [list(range(40)), *mixed(59)]


SHAPES: dict[str, Callable[[], Items]] = {
    "one_user": lambda: mixed(1),
    "two_users": lambda: [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6]],
    "three_users": lambda: mixed(3),
    "alike": lambda: [[0, 1, 2, 3, 4, 5]] * 30,
    "disjoint": lambda: [[6 * user + item for item in range(6)] for user in range(60)],
    "one_item": lambda: [[0]] * 30,
    "one_with_all": one_with_all,
    "mixed": lambda: mixed(60),
}


@dataclass(frozen=True)
class EvidenceCase:
    """A platform of one shape.

    files holds the files about users that have rows; has_tags says whether the courses have tags.
    """

    shape: str
    files: tuple[str, ...]
    has_tags: bool = True

    @property
    def name(self) -> str:
        kinds = "+".join(file.removeprefix("user_") for file in self.files)
        return f"{self.shape}-{kinds}" + ("" if self.has_tags else "-no_tags")

    @property
    def items(self) -> Items:
        return SHAPES[self.shape]()

    def write(self, folder: Path) -> None:
        """Write the four files into a folder."""
        rows = {name: [] for name in COLUMNS}
        items = self.items
        for user, numbers in enumerate(items, start=1):
            for number in numbers:
                # There are few levels and authors: users with nothing in common have courses without.
                author, level = ("", "") if self.shape == "disjoint" else (number % 7, LEVELS[number % len(LEVELS)])
                rows["user_course_views"].append((user, "2017-05-01", f"course-{number}", author, level, 600))
                rows["user_interests"].append((user, subject(number), "2017-05-02 10:00:00"))
                rows["user_assessment_scores"].append((user, subject(number), "2017-05-03", 10 * (number % 30)))
        courses = sorted({number for numbers in items for number in numbers})
        rows["course_tags"] = [(f"course-{number}", subject(number)) for number in courses]
        written = {*self.files, *(("course_tags",) if self.has_tags else ())}
        write_inputs(folder, {name: rows[name] if name in written else [] for name in COLUMNS})


def subject(number: int) -> str:
    """Return a tag that no rule merges with that of another number."""
    letter = "abcdefghijklmnopqrstuvwxyz"[number // len(TAGS) % 26]
    return f"{TAGS[number % len(TAGS)]}-{letter * 3}{number // 260}"


def write_inputs(folder: Path, rows: dict[str, list[tuple]]) -> None:
    """Write the four files as CSV; a file without rows has its header only."""
    for name, columns in COLUMNS.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows.get(name, [])])


def all_cases() -> Iterator[EvidenceCase]:
    """Yield every shape with every choice of files with rows, and without tags where that differs."""
    for shape, present in product(SHAPES, product((True, False), repeat=len(USER_FILES))):
        files = tuple(file for file, is_present in zip(USER_FILES, present, strict=True) if is_present)
        if files:
            yield EvidenceCase(shape, files)
            if shape in ("two_users", "mixed") and "user_course_views" in files:
                yield EvidenceCase(shape, files, has_tags=False)
