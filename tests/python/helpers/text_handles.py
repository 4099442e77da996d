"""Handles of every kind that a platform may have, and a synthetic platform whose users have them."""

import csv
from pathlib import Path

TEXTS = (
    "0b0e7f4a-8f5e-4c8e-9d0a-3f1f6f6f2b11", "ann.lee+x@example.org", "U-0042", "Ωμέγα", "名前",
    "محمد", "日本語 テキスト", "😀", "é", "e\u0301", "Ann", "ann", "Ann  Lee", "007", "42", "42.0",
    "+5", "-7", "-dash", "--help", "1e5", "9007199254740993", "a/b", "a%2Fb", "100%", "a\\b",
    "?user=1&x=2", "#1", "a,b", "a;b|c", "o'brien", 'q"uote', "<b>bold</b>", "*star*_x_", "$x$",
    "similar", "users", "current", "space", "cluster#1", "user#1", ".hidden", "null", "x" * 200,
    "ß" * 200,
)  # fmt: skip
"""Encodings, other scripts, quotes, numbers that are none, words that programs use themselves, and the longest."""

BLANKS_AROUND = ("", " ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff")


def text_of(number: int) -> str:
    """Return the handle of a user of a sample, whose number is 1 or more."""
    return TEXTS[number - 1] if number <= len(TEXTS) else f"user {number}"


def give_texts(folder: Path) -> None:
    """Replace the handles of users in the CSV files of a sample, with blanks around them that mean nothing."""
    for name in ("user_assessment_scores", "user_course_views", "user_interests"):
        file = folder / f"{name}.csv"
        with file.open(newline="", encoding="utf-8") as old:
            rows = list(csv.DictReader(old))
        with file.open("w", newline="", encoding="utf-8") as new:
            writer = csv.DictWriter(new, rows[0], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            for place, row in enumerate(rows):
                blanks = BLANKS_AROUND[place % len(BLANKS_AROUND)]
                texts = {"user_handle": f"{blanks}{text_of(int(row['user_handle']))}{blanks}"}
                if "author_handle" in row:
                    texts["author_handle"] = (
                        "x" * 201 if row["author_handle"] == "1" else f"Ann, {row['author_handle']}"
                    )
                writer.writerow(row | texts)
