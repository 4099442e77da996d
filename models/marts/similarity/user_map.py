# Where every user lies on a map of two dimensions, for charts: users who are near each other are similar. The map is
# laid out from the neighbours that users share, as clusters are, but without knowing the clusters.
# Grain: one row per user.


def model(dbt, session):
    from kindred.graph.shared_neighbours import read_graph
    from kindred.graph.user_map import NEAREST_USERS, map_users
    from kindred.neighbours.lists import NeighbourLists

    known = dbt.ref("int_users").order("user_number").fetchnumpy()
    users = known["user_number"]
    labels = dbt.ref("int_user_clusters").order("user_number").fetchnumpy()["cluster_id"]
    fingerprints = dbt.ref("int_profile_fingerprints").order("user_number").fetchnumpy()["profile_fingerprint"]
    nearest = NeighbourLists.read(dbt.ref("int_candidates"), users, k=NEAREST_USERS).indices
    shared = read_graph(dbt.ref("int_shared_neighbours"), users)
    positions = map_users(shared, nearest, fingerprints, known["tie_key"])
    return {
        "user_handle": known["user_handle"],
        "x": positions[:, 0],
        "y": positions[:, 1],
        "cluster_id": labels,
    }
