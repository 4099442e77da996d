"""Who is listed where more users are equally similar than a list has places."""

from itertools import product

import pytest
from project import Project, rows_of, succeeded

USERS = range(1, 31)
FILES = {
    "course_tags": ("course_id,course_tags", ["a,sql", "b,python"]),
    "user_assessment_scores": ("user_handle,assessment_tag,user_assessment_date,user_assessment_score", []),
    "user_course_views": (
        "user_handle,view_date,course_id,author_handle,level,view_time_seconds",
        [f"{user},2017-08-11,{course},1,Beginner,600" for user, course in product(USERS, "ab")],
    ),
    "user_interests": (
        "user_handle,interest_tag,date_followed",
        [f"{user},{tag},2017-08-11" for user, tag in product(USERS, ("sql", "python"))],
    ),
}


@pytest.mark.proof
def test_of_thirty_equal_users_everybody_is_on_about_as_many_lists(tmp_path):
    project = Project(tmp_path)
    for name, (header, lines) in FILES.items():
        (project.folder / "seeds" / f"{name}.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    succeeded(project.dbt("build"))
    with project.open_published() as connection:
        lists = dict(rows_of(connection, "select similar_user_handle, count(*) from similar_users group by all"))
    assert sum(lists.values()) == 20 * len(USERS)
    assert lists.keys() == set(USERS)
    assert 12 <= min(lists.values()) <= max(lists.values()) <= 28
