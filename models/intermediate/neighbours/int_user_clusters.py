# Clusters of users: DBSCAN on the neighbours that users share, from the profile without the cluster facet, at the eps
# that int_cluster_search chose.
# Grain: one row per user.


def model(dbt, session):
    from kindred.graph.clusters import cluster_users
    from kindred.graph.shared_neighbours import read_graph
    from kindred.neighbours.lists import NeighbourLists

    users = dbt.ref("int_users").order("user_number").fetchnumpy()["user_number"]
    nearest = NeighbourLists.read(dbt.ref("int_candidates"), users, k=int(dbt.config.get("cluster_voters")))
    graph = read_graph(dbt.ref("int_shared_neighbours"), users)
    chosen = dbt.ref("int_cluster_search").filter("is_chosen").select("min_shared, min_samples").fetchall()
    return cluster_users(users, graph, nearest.indices, chosen[0] if chosen else None)
