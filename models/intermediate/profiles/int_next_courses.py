# The predicted next courses of every user: the courses that the user's own courses lead to most strongly.
# Grain: one row per user and course.

PART_USERS = 100_000  # users whose rows are in memory at a time


def model(dbt, session):
    import numpy as np
    from scipy import sparse

    from kindred.build.tables import in_parts
    from kindred.matrices import incidence
    from kindred.profiles.next_courses import next_courses

    numbered = dbt.ref("int_viewed_courses")
    courses = len(numbered)
    views = dbt.ref("int_user_courses").join(numbered, "course_id").select("user_number, course_number").fetchnumpy()
    numbered_next = numbered.select("course_id as next_course_id, course_number as next_course_number")
    relations = (
        dbt.ref("int_course_relations")
        .join(numbered, "course_id")
        .join(numbered_next, "next_course_id")
        .select("course_number, next_course_number, strength")
        .fetchnumpy()
    )
    users, user_rows = np.unique(views["user_number"], return_inverse=True)
    viewed = incidence(user_rows, views["course_number"], (len(users), courses))
    leads = sparse.csr_array(
        (relations["strength"], (relations["course_number"], relations["next_course_number"])), (courses, courses)
    )

    def next_of(some: slice) -> dict[str, np.ndarray]:
        rows, next_numbers, strengths = next_courses(viewed[some], leads, k=int(dbt.config.get("next_max_courses")))
        return {"user_number": users[some][rows], "course_number": next_numbers, "strength": strengths}

    return in_parts(next_of(slice(start, start + PART_USERS)) for start in range(0, max(len(users), 1), PART_USERS))
