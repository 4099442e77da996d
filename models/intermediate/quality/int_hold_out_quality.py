# How good neighbours, facets and clusters are at finding courses that are hidden from them. While statistics are
# frozen, the measures are those of an earlier build.
# Grain: one row per measure and variant, with or without a value; none if quality_splits is 0.


def model(dbt, session):
    from kindred.evaluation.platform import EvaluationSettings, read_platform
    from kindred.evaluation.report import as_table, measure

    if dbt.ref("int_frozen_statistics").select("is_frozen").fetchall() == [(True,)] and dbt.is_incremental:
        return session.table(str(dbt.this))
    platform = read_platform(
        {
            "facets": dbt.ref("int_facets"),
            "int_quality_users": dbt.ref("int_quality_users"),
            "int_viewed_courses": dbt.ref("int_viewed_courses"),
            "int_evidence": dbt.ref("int_evidence"),
            "int_features": dbt.ref("int_features"),
            "int_user_courses": dbt.ref("int_user_courses"),
            "int_course_tags": dbt.ref("int_course_tags"),
            "int_user_interests": dbt.ref("int_user_interests"),
            "int_user_assessments": dbt.ref("int_user_assessments"),
        }
    )
    return as_table(measure(platform, EvaluationSettings.read(dbt.config.get("settings"))))
