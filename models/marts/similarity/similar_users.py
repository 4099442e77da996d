# The most similar of every user's candidates, by the weighted sum of facet cosines, of which the cluster is one, less a
# correction for hubs; and why.
# Grain: one row per user and rank.


def model(dbt, session):
    import numpy as np

    from kindred.build.tables import free_memory, in_parts
    from kindred.neighbours.candidates import candidates_needed
    from kindred.neighbours.lists import NeighbourLists
    from kindred.neighbours.reranking import rerank, similar_users
    from kindred.profiles.facets import CLUSTER, ProfileColumns
    from kindred.profiles.matrix import Profiles

    known = dbt.ref("int_users").order("user_number").fetchnumpy()
    users, handles = known["user_number"], np.asarray(known["user_handle"])
    labels = dbt.ref("int_user_clusters").order("user_number").fetchnumpy()["cluster_id"]
    cluster_weight = dbt.ref("int_facets").filter(f"facet = '{CLUSTER}'").sum("weight_share").fetchall()[0][0] or 0.0
    top_k, hub_correction = int(dbt.config.get("top_k")), float(dbt.config.get("hub_correction"))
    candidates = NeighbourLists.read(
        dbt.ref("int_candidates"), users, candidates_needed(top_k, int(dbt.config.get("cluster_neighbours")))
    )
    listed = rerank(
        candidates,
        top_k,
        hub_correction=hub_correction,
        labels=labels,
        cluster_weight=cluster_weight,
        tie_keys=known["tie_key"],
    )
    neighbourhood_similarity = candidates.neighbourhood_similarity()
    del candidates  # as large as the profiles
    features = dbt.ref("user_features").join(dbt.ref("int_users"), "user_handle")
    profiles = Profiles.read(features.select("user_number, feature_id, matching_feature_id, weight"), users)
    one_hot = Profiles.read(dbt.ref("int_one_hot_profiles"), users)
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    columns = ProfileColumns.read(dbt.ref("int_facets"), dbt.ref("features"), profiles.features)
    return in_parts(
        similar_users(profiles, handles, one_hot, listed, columns, labels, neighbourhood_similarity, hub_correction)
    )
