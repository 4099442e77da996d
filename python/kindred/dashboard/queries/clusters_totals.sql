-- The number of clusters, and the share of users in them.
-- A single row.
-- clusters: The number of groups of users that the clustering found.
-- clustered_share: The share of all users who are in a cluster.
-- core_users_share: The share of all users who are core users, who hold a cluster together.
-- largest_cluster_share: The share of all users who are in the largest cluster.
-- median_users: The median number of users in a cluster.
-- median_cohesion: The median, over the clusters, of the mean similarity of two members.
-- random_similarity: The mean similarity of any two users, without the facet cluster. The sum over all pairs is the
-- similarity of the summed profiles with themselves, less that of each user with itself.
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
    any_value(
        case
            when totals.users > 1
                then least(greatest(pairs.similarity_sum / (totals.users * (totals.users - 1)), 0), 1)
        end
    ) as random_similarity
from clusters
cross join totals
cross join pairs
