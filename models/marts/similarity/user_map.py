# Where every user lies on a map of two dimensions, for charts: near means alike. It is laid out from the neighbours
# that users share, so that it shows what clusters are dense parts of, but knows nothing of the clusters.
# Grain: one row per user.


def model(dbt, session):
    from kindred.graph.shared_neighbours import read_graph
    from kindred.graph.user_map import NEAREST_USERS, map_users
    from kindred.neighbours.lists import NeighbourLists

    clusters = dbt.ref("user_clusters").select("user_handle, cluster_id").order("user_handle").fetchnumpy()
    users = clusters["user_handle"]
    fingerprints = dbt.ref("int_profile_fingerprints").order("user_handle").fetchnumpy()["profile_fingerprint"]
    nearest = NeighbourLists.read(dbt.ref("int_candidates"), users, k=NEAREST_USERS).indices
    shared = read_graph(dbt.ref("int_shared_neighbours"), users)
    positions = map_users(users, shared, nearest, fingerprints)
    return {
        "user_handle": users,
        "x": positions[:, 0],
        "y": positions[:, 1],
        "cluster_id": clusters["cluster_id"],
    }
