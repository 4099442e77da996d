"""Check the known and the least figures of the full-size data in a published warehouse: check_figures.py FILE."""

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

QUALITY = "select value from neighbour_quality where measure = '{}' and variant = '{}'"
NDCG, RECALL = "hold_out_ndcg_at_20", "hold_out_recall_at_20"

LIMITS = {
    "NDCG@20": (QUALITY.format(NDCG, "all_facets"), 0.222, 1),
    "Recall@20": (QUALITY.format(RECALL, "all_facets"), 0.30, 1),
    "NDCG@20 over plain cosine's": (QUALITY.format(f"{NDCG}_ratio_to_plain_cosine", "all_facets"), 2.1, 10),
    "lift of courses": (
        QUALITY.format("course_overlap_lift", "all_facets"),
        3.0,
        10,
    ),
    "lift of interests": (
        QUALITY.format("interest_overlap_lift", "all_facets"),
        2.05,
        10,
    ),
    "hubness": (QUALITY.format("hubness_skew", "similar_users"), -4, 4),
    "similarity from what both have in common": (
        QUALITY.format("similarity_in_common_mean_share", "similar_users"),
        0.5,
        1,
    ),
    "clusters": ("select count(*) from clusters", 35, 100),
    "users in no cluster": ("select avg(case when cluster_id < 0 then 1.0 else 0 end) from user_clusters", 0, 0.55),
    "users in the largest cluster": ("select max(users) / (select count(*) from users) from clusters", 0, 0.10),
    "lift of hidden courses in a cluster": (
        QUALITY.format("hold_out_cluster_lift", "user_clusters"),
        3.6,
        10,
    ),
    "agreement of clusters of two samples": (
        QUALITY.format("clusters_adjusted_rand_index", "user_clusters"),
        0.75,
        1,
    ),
}


def main(file: str) -> int:
    wrong = 0
    with duckdb.connect(Path(file).resolve(), read_only=True) as connection:
        for name, (query, expected) in FIGURES.items():
            (found,) = connection.execute(query).fetchone()
            is_right = found == expected
            wrong += not is_right
            print(f"{'ok   ' if is_right else 'WRONG'} {name}: {found:,}" + ("" if is_right else f", not {expected:,}"))
        for name, (query, minimum, maximum) in LIMITS.items():
            (found,) = connection.execute(query).fetchone()
            is_right = minimum <= found <= maximum
            wrong += not is_right
            print(f"{'ok   ' if is_right else 'WRONG'} {name}: {found:.4f}, from {minimum} to {maximum}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
