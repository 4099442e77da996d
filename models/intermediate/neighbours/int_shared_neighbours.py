# How many neighbours mutual neighbours share: the graph whose dense parts are the clusters, at any eps.
# Grain: one row per user, with a list of the mutual neighbours; every pair is listed in both directions.


def model(dbt, session):
    from kindred.build.tables import in_parts
    from kindred.graph.eps_search import neighbours_to_compare
    from kindred.graph.shared_neighbours import shared_neighbours
    from kindred.neighbours.lists import NeighbourLists

    users = dbt.ref("int_users").order("user_number").fetchnumpy()["user_number"]
    neighbours, _ = neighbours_to_compare(
        len(users), int(dbt.config.get("cluster_neighbours")), int(dbt.config.get("cluster_min_samples"))
    )
    listed = NeighbourLists.read(dbt.ref("int_candidates"), users, k=neighbours).indices
    return in_parts(shared_neighbours(listed, users))
