# The closest users of every user, by the weighted sum of facet cosines, the cluster being one of the facets, less a
# correction for hubs.
# Grain: one row per user and rank.


def model(dbt, session):
    from dbt.adapters.events.logging import AdapterLogger

    from kindred.neighbours import NeighbourLists, closest_users
    from kindred.profiles import Profiles
    from kindred.progress import log_progress
    from kindred.tables import free_memory, in_parts

    clusters = dbt.ref("user_clusters").select("user_handle, cluster_id").order("user_handle").fetchnumpy()
    users = clusters["user_handle"]
    facets = dbt.ref("facets").order("facet_number").fetchnumpy()
    profiles = Profiles.read(dbt.ref("user_features"), users)
    one_hot = Profiles.read(dbt.ref("int_one_hot_profiles"), users)
    nearest = NeighbourLists.read(dbt.ref("int_nearest_users"), users)
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    return in_parts(
        closest_users(
            profiles,
            one_hot,
            nearest,
            clusters["cluster_id"],
            cluster_weight=float(facets["weight_share"][facets["facet"] == "cluster"].sum()),
            facets=dict(zip(facets["facet_number"].tolist(), facets["facet"].tolist(), strict=True)),
            hub_correction=float(dbt.config.get("hub_correction")),
            k=int(dbt.config.get("top_k")),
            threads=int(dbt.config.get("similarity_threads")),
            progress=log_progress("closest users", AdapterLogger("Kindred").info),
        )
    )
