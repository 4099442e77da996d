"""An example of every answer, for /openapi.json; none has a null, because FastAPI leaves nulls out."""

from __future__ import annotations

_VERSION = "20261126T191017Z-24d78f7b"

_REASONS = [
    {"facet": "courses", "feature": "python-fundamentals", "contribution": 0.21},
    {"facet": "next_courses", "feature": "pandas-fundamentals", "contribution": 0.13},
    {"facet": "interests", "feature": "python", "contribution": 0.08},
]

_FACETS = {"courses": 0.21, "course_tags": 0.0, "interests": 0.08, "next_courses": 0.13}

_SIMILAR_USER = {
    "rank": 1,
    "similar_user_handle": 77,
    "similarity": 0.42,
    "facets": _FACETS,
    "cluster_id": 3,
    "cluster": "python, data-analysis, machine-learning",
    "reasons": _REASONS,
}

_SIMILAR = {
    "user_handle": 42,
    "similar": [{**_SIMILAR_USER, "cosine_similarity": 0.38, "is_same_profile": False}],
}

_USER_ROW = {
    "user_handle": 42,
    "cluster_id": 3,
    "cluster": "python, data-analysis, machine-learning",
    "nearest_cluster_id": 3,
    "nearest_cluster_share": 0.8,
    "neighbourhood_similarity": 0.31,
    "total_courses": 2,
    "total_views": 5,
    "total_view_seconds": 5400.0,
    "total_authors": 2,
    "total_course_tags": 3,
    "first_view_date": "2017-09-13",
    "last_view_date": "2017-11-10",
    "top_course_tags": ["python", "data-analysis"],
    "main_level": "Beginner",
    "total_interests": 1,
    "first_followed_at": "2017-06-27T16:26:52",
    "last_followed_at": "2017-06-27T16:26:52",
    "total_assessments": 1,
    "avg_assessment_score": 180.0,
    "last_assessed_at": "2017-11-02T09:30:00",
}

SIMILAR_USERS = {"version": _VERSION, **_SIMILAR}

SIMILAR_OF_USERS = {"version": _VERSION, "results": [_SIMILAR], "unknown_user_handles": [1000001]}

SIMILAR_TO_ACTIVITY = {
    "version": _VERSION,
    "similar": [_SIMILAR_USER],
    "unknown": {"interests": [], "courses": ["no-such-course"], "assessments": []},
    "mapped": {"interests": {"Data Analysis": "data-analysis"}, "assessments": {}},
}

PAIR = {
    "version": _VERSION,
    "user_handle": 42,
    "similar_user_handle": 77,
    "similarity": 0.42,
    "rank": 1,
    "facets": _FACETS,
    "reasons": _REASONS,
}

USER = {
    "version": _VERSION,
    **_USER_ROW,
    "profile": {
        "courses": [
            {"feature": "python-fundamentals", "weight": 0.5},
            {"feature": "pandas-fundamentals", "weight": 0.4},
        ],
        "interests": [{"feature": "python", "weight": 0.27}],
    },
}

USERS = {"version": _VERSION, "users": [_USER_ROW], "next_after": "NDI"}

COURSES_TO_TAKE = {
    "version": _VERSION,
    "user_handle": 42,
    "courses": [
        {
            "course_id": "numpy-fundamentals",
            "users": 2,
            "summed_similarity": 0.79,
            "similar_user_handles": [77, 5],
        }
    ],
}

HEALTH = {
    "status": "ok",
    "code_version": "1.0.0",
    "version": _VERSION,
    "built_at": "2026-11-26T19:10:17Z",
    "users": 10000,
    "store": "duckdb",
}
