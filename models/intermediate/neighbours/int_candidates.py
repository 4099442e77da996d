# The candidates of every user: the nearest users by the profile without the cluster. Clustering reads them, and
# similar_users re-ranks them by cluster. A list is kept from the build before if no profile in it has changed.
# Grain: one row per user.


def model(dbt, session):
    from dbt.adapters.events.logging import AdapterLogger

    from kindred.build.progress import log_progress
    from kindred.build.tables import free_memory, in_parts
    from kindred.neighbours.candidates import candidates_needed, find_candidates
    from kindred.profiles.matrix import Profiles

    tell = AdapterLogger("Kindred").info
    users = dbt.ref("int_profile_fingerprints").order("user_number").fetchnumpy()
    known = dbt.ref("int_users").order("user_number")
    handles = known.select("user_handle::varchar as user_handle").to_arrow_table()
    tie_keys = known.select("tie_key").fetchnumpy()["tie_key"]
    profiles = Profiles.read(dbt.ref("int_profiles"), users["user_number"])
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    return in_parts(
        find_candidates(
            profiles,
            handles["user_handle"].combine_chunks(),
            users["profile_fingerprint"],
            tie_keys,
            k=candidates_needed(int(dbt.config.get("top_k")), int(dbt.config.get("cluster_neighbours"))),
            before=session.table(str(dbt.this)) if dbt.is_incremental else None,
            threads=int(dbt.config.get("similarity_threads")),
            progress=log_progress("nearest users", tell),
            tell=tell,
        )
    )
