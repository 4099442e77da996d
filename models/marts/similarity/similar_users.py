# The closest users of every user: the candidates, re-ranked by the weighted sum of facet cosines with the cluster as a
# facet, less a correction for hubs; and why they are close.
# Grain: one row per user and rank.


def model(dbt, session):
    from kindred.neighbours import NeighbourLists, closest_lists, closest_users, listed_users
    from kindred.profiles import Profiles, find_rows
    from kindred.tables import free_memory, in_parts

    clusters = dbt.ref("user_clusters").select("user_handle, cluster_id").order("user_handle").fetchnumpy()
    users = clusters["user_handle"]
    facets = dbt.ref("facets").order("facet_number").fetchnumpy()
    top_k, hub_correction = int(dbt.config.get("top_k")), float(dbt.config.get("hub_correction"))
    candidates = listed_users(top_k, int(dbt.config.get("cluster_neighbours")))
    nearest = NeighbourLists.read(dbt.ref("int_candidates"), users, candidates)
    closest = closest_lists(
        nearest,
        top_k,
        hub_correction=hub_correction,
        labels=clusters["cluster_id"],
        cluster_weight=float(facets["weight_share"][facets["facet"] == "cluster"].sum()),
    )
    neighbourhood_similarity = nearest.neighbourhood_similarity()
    del nearest  # as large as the profiles
    profiles = Profiles.read(dbt.ref("user_features"), users)
    one_hot = Profiles.read(dbt.ref("int_one_hot_profiles"), users)
    free_memory(session, float(dbt.config.get("duckdb_memory_gb")))
    facet_names = dict(zip(facets["facet_number"].tolist(), facets["facet"].tolist(), strict=True))
    features = dbt.ref("features").select("feature_id, feature").order("feature_id").fetchnumpy()
    rows, _ = find_rows(profiles.features, features["feature_id"])
    return in_parts(
        closest_users(
            profiles,
            one_hot,
            closest,
            neighbourhood_similarity,
            facet_names,
            features["feature"][rows],
            clusters["cluster_id"],
            hub_correction,
        )
    )
