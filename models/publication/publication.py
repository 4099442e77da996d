# The last step of a build: it runs only when every mart is built and every test has passed, and publishes the marts
# as one new file in place of the old one. Grain: a single row.


def model(dbt, session):
    from kindred.warehouse.publication import publish

    marts = {
        "build_info": dbt.ref("build_info"),
        "cluster_search": dbt.ref("cluster_search"),
        "clusters": dbt.ref("clusters"),
        "course_relations": dbt.ref("course_relations"),
        "course_views": dbt.ref("course_views"),
        "courses": dbt.ref("courses"),
        "facets": dbt.ref("facets"),
        "features": dbt.ref("features"),
        "input_files": dbt.ref("input_files"),
        "neighbour_quality": dbt.ref("neighbour_quality"),
        "rejected_rows": dbt.ref("rejected_rows"),
        "similar_user_reasons": dbt.ref("similar_user_reasons"),
        "similar_users": dbt.ref("similar_users"),
        "tag_links": dbt.ref("tag_links"),
        "tag_map": dbt.ref("tag_map"),
        "tags": dbt.ref("tags"),
        "test_results": dbt.ref("test_results"),
        "user_assessments": dbt.ref("user_assessments"),
        "user_clusters": dbt.ref("user_clusters"),
        "user_courses": dbt.ref("user_courses"),
        "user_features": dbt.ref("user_features"),
        "user_map": dbt.ref("user_map"),
        "users": dbt.ref("users"),
    }
    if session.sql("select getvariable('is_empty_run')").fetchall()[0][0]:
        # dbt build --empty is a dry run: it makes every table without rows, and readers must not get those.
        return session.sql(
            "select ''::varchar as version, ''::varchar as file, now()::timestamp as published_at limit 0"
        )
    version = marts["build_info"].fetchnumpy()["version"][0]
    # A connection of its own: dbt's is inside a transaction, and one transaction can write to one file only.
    file = publish(session.cursor(), dbt.config.get("warehouse"), list(marts), version)
    return session.sql(
        "select ?::varchar as version, ?::varchar as file, now()::timestamp as published_at",
        params=[version, file.name],
    )
