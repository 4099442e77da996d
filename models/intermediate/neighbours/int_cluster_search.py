# Every eps that was considered for the clusters of users: what it would give, and why it was chosen or not.
# Grain: one row per eps, from the tightest to the loosest.


def model(dbt, session):
    from kindred.graph.eps_search import neighbours_to_compare, search_eps
    from kindred.graph.shared_neighbours import read_graph

    users = dbt.ref("int_users").order("user_number").fetchnumpy()["user_number"]
    neighbours, min_samples = neighbours_to_compare(
        len(users), int(dbt.config.get("cluster_neighbours")), int(dbt.config.get("cluster_min_samples"))
    )
    graph = read_graph(dbt.ref("int_shared_neighbours"), users)
    return search_eps(graph, neighbours, min_samples, max_share=float(dbt.config.get("cluster_max_share")))
