# The most similar of every user's candidates, by the weighted sum of facet cosines, of which the cluster is one, less a
# correction for hubs; and why.
# Grain: one row per user and rank.


def model(dbt, session):
    from kindred.build.tables import free_memory, in_parts
    from kindred.neighbours.candidates import candidates_needed
    from kindred.neighbours.lists import NeighbourLists
    from kindred.neighbours.reranking import rerank, similar_users
    from kindred.profiles.facets import CLUSTER, ProfileColumns
    from kindred.profiles.matrix import Profiles

    clusters = dbt.ref("user_clusters").select("user_handle, cluster_id").order("user_handle").fetchnumpy()
    users = clusters["user_handle"]
    cluster_weight = dbt.ref("int_facets").filter(f"facet = '{CLUSTER}'").sum("weight_share").fetchall()[0][0] or 0.0
    top_k, hub_correction = int(dbt.config.get("top_k")), float(dbt.config.get("hub_correction"))
    candidates = NeighbourLists.read(
        dbt.ref("int_candidates"), users, candidates_needed(top_k, int(dbt.config.get("cluster_neighbours")))
    )
    listed = rerank(
        candidates,
        top_k,
        hub_correction=hub_correction,
        labels=clusters["cluster_id"],
        cluster_weight=cluster_weight,
        tie_keys=dbt.ref("int_candidates").order("user_handle").select("tie_key").fetchnumpy()["tie_key"],
    )
    neighbourhood_similarity = candidates.neighbourhood_similarity()
    del candidates  # as large as the profiles
    profiles = Profiles.read(dbt.ref("user_features"), users)
    one_hot = Profiles.read(dbt.ref("int_one_hot_profiles"), users)
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    columns = ProfileColumns.read(dbt.ref("int_facets"), dbt.ref("features"), profiles.features)
    return in_parts(
        similar_users(
            profiles, one_hot, listed, columns, clusters["cluster_id"], neighbourhood_similarity, hub_correction
        )
    )
