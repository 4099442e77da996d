# The nearest users of every user by the profile without the cluster: one pass of the kernel serves both clustering
# and, re-ranked by cluster, similar_users. Grain: one row per user.


def model(dbt, session):
    from dbt.adapters.events.logging import AdapterLogger

    from kindred.neighbours import NEIGHBOURHOOD_USERS, nearest_users
    from kindred.profiles import Profiles
    from kindred.progress import log_progress
    from kindred.tables import free_memory, in_parts

    users = dbt.ref("int_users").order("user_handle").fetchnumpy()["user_handle"]
    profiles = Profiles.read(dbt.ref("int_profiles"), users)
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    return in_parts(
        nearest_users(
            profiles,
            # The hub correction needs whole neighbourhoods, however short the lists may be that were asked for.
            k=max(int(dbt.config.get("top_k")), int(dbt.config.get("cluster_neighbours")), NEIGHBOURHOOD_USERS),
            threads=int(dbt.config.get("similarity_threads")),
            progress=log_progress("nearest users", AdapterLogger("Kindred").info),
        )
    )
