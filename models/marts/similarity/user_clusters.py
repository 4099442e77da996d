# Clusters of users: DBSCAN on the neighbours that users share, from the profile without the cluster facet.
# Grain: one row per user.


def model(dbt, session):
    from kindred.clusters import neighbours_to_compare, shared_neighbour_dbscan
    from kindred.neighbours import NeighbourLists

    users = dbt.ref("int_users").order("user_handle").fetchnumpy()["user_handle"]
    nearest = NeighbourLists.from_long(dbt.ref("int_nearest_users").fetchnumpy(), users)

    neighbours, min_samples = neighbours_to_compare(
        len(users), int(dbt.config.get("cluster_neighbours")), int(dbt.config.get("cluster_min_samples"))
    )
    clusters = shared_neighbour_dbscan(
        nearest.indices[:, :neighbours], min_samples, max_share=float(dbt.config.get("cluster_max_share"))
    )
    return {
        "user_handle": users,
        "cluster_id": clusters.labels,
        "is_core": clusters.is_core,
        "linked_users": clusters.linked_users,
    }
