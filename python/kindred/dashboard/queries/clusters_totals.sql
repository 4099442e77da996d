-- How many clusters there are, and how many of the users they hold.
-- A single row.
-- clusters: Groups of users that the clustering found.
-- clustered_share: The users who are in one of them, as a share of all.
-- core_users_share: The users who hold a cluster together, as a share of all.
-- largest_cluster_share: The users who are in the largest cluster, as a share of all.
-- median_users: How many users a cluster has, in the middle of all sizes.
-- median_cohesion: The mean similarity of two members of a cluster, in the middle of all clusters.
-- random_similarity: The mean similarity of any two users, the cluster apart: the sum over all pairs is that of the
-- summed profiles with themselves, less each user with themselves.
with

totals as (

    select count(*) as users
    from users

),

feature_sums as (

    select
        feature_id,
        matching_feature_id,
        sum(weight) as weight_sum,
        sum(weight * weight) as square_sum
    from user_features
    where facet != 'cluster'
    group by feature_id, matching_feature_id

),

pairs as (

    select
        sum(
            feature_sums.weight_sum * matching_sums.weight_sum
            - case when feature_sums.feature_id = matching_sums.feature_id then feature_sums.square_sum else 0 end
        ) as similarity_sum
    from feature_sums
    inner join feature_sums as matching_sums on feature_sums.matching_feature_id = matching_sums.feature_id

)

select
    count(*) as clusters,
    sum(clusters.users) / any_value(totals.users) as clustered_share,
    sum(clusters.core_users) / any_value(totals.users) as core_users_share,
    max(clusters.users) / any_value(totals.users) as largest_cluster_share,
    median(clusters.users) as median_users,
    median(clusters.cohesion) as median_cohesion,
    any_value(pairs.similarity_sum / nullif(totals.users * (totals.users - 1), 0)) as random_similarity
from clusters
cross join totals
cross join pairs
