"""Check the known figures of the full-size data in a published warehouse: check_figures.py FILE."""

import sys
from pathlib import Path

import duckdb

FIGURES = {
    "users": ("select count(*) from users", 10_000),
    "users with courses": ("select count(*) from users where total_courses > 0", 8_760),
    "users with assessments": ("select count(*) from users where total_assessments > 0", 3_114),
    "rows in user_courses": ("select count(*) from user_courses", 105_353),
    "courses": ("select count(*) from courses", 5_942),
    "authors": ("select count(distinct author_handle) from courses", 1_412),
    "course tags": ("select count(*) from tag_map where vocabulary = 'course'", 998),
    "interest tags": ("select count(*) from tag_map where vocabulary = 'interest'", 748),
    "assessment tags": ("select count(*) from tag_map where vocabulary = 'assessment'", 54),
    "users with neighbours": ("select count(distinct user_handle) from similar_users", 10_000),
    "users with 20 neighbours": (
        "select count(*) from (select count(*) as n from similar_users group by user_handle) as lists where n = 20",
        10_000,
    ),
    "rejected rows": ("select count(*) from rejected_rows", 0),
}


def main(file: str) -> int:
    wrong = 0
    with duckdb.connect(Path(file).resolve(), read_only=True) as connection:
        for name, (query, expected) in FIGURES.items():
            (found,) = connection.execute(query).fetchone()
            is_right = found == expected
            wrong += not is_right
            print(f"{'ok   ' if is_right else 'WRONG'} {name}: {found:,}" + ("" if is_right else f", not {expected:,}"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
