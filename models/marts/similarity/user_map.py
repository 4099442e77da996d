# Where every user lies on a map of two dimensions, for charts: near means alike.
# Grain: one row per user.


def model(dbt, session):
    from kindred.layout import two_dimensions
    from kindred.profiles import Profiles

    clusters = dbt.ref("user_clusters").select("user_handle, cluster_id").order("user_handle").fetchnumpy()
    profiles = Profiles.read(dbt.ref("int_profiles"), clusters["user_handle"])
    positions = two_dimensions(profiles.matrix)
    return {
        "user_handle": clusters["user_handle"],
        "x": positions[:, 0],
        "y": positions[:, 1],
        "cluster_id": clusters["cluster_id"],
    }
