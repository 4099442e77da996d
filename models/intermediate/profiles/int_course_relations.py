# Which courses lead to which: how strongly a view of one course makes a view of another likely, estimated from all
# views. While statistics are frozen, the relations are those of an earlier build.
# Grain: one row per course and next course.


def model(dbt, session):
    import numpy as np

    from kindred.matrices import incidence
    from kindred.profiles.next_courses import relate_courses

    numbered = dbt.ref("int_viewed_courses")
    if dbt.ref("int_frozen_statistics").select("is_frozen").fetchall() == [(True,)] and dbt.is_incremental:
        viewed = numbered.select("course_id")
        led_to = numbered.select("course_id as next_course_id")
        return session.table(str(dbt.this)).join(viewed, "course_id", "semi").join(led_to, "next_course_id", "semi")
    courses = numbered.order("course_number").fetchnumpy()["course_id"]
    views = dbt.ref("int_user_courses").join(numbered, "course_id").select("user_number, course_number").fetchnumpy()
    tags = dbt.ref("int_course_tags").join(numbered, "course_id")
    tags = tags.select("course_number, dense_rank() over (order by course_tag) - 1 as tag_number").fetchnumpy()
    users, user_rows = np.unique(views["user_number"], return_inverse=True)
    relations = relate_courses(
        incidence(user_rows, views["course_number"], (len(users), len(courses))),
        incidence(tags["course_number"], tags["tag_number"], (len(courses), tags["tag_number"].max(initial=-1) + 1)),
        max_courses=int(dbt.config.get("relation_max_courses")),
        ridge=float(dbt.config.get("relation_ridge")),
    ).tocoo()
    return {
        "course_id": courses[relations.row],
        "next_course_id": courses[relations.col],
        "strength": relations.data,
    }
