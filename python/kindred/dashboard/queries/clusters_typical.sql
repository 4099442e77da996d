-- The members with the highest mean similarity to the others, without the facet cluster. The mean is exact: a member's
-- weights times the summed weights of matching features among the members, less the member's own part.
-- One row per member, at most 10, the most typical first.
-- mean_similarity: The mean similarity to the other members.
with

member_features as (

    select
        user_features.user_handle,
        user_features.feature_id,
        user_features.matching_feature_id,
        user_features.weight
    from user_features
    inner join users on user_features.user_handle = users.user_handle
    where
        users.cluster_id = $cluster_id
        and user_features.facet != 'cluster'

),

feature_sums as (

    select
        feature_id,
        sum(weight) as weight_sum
    from member_features
    group by feature_id

),

similarities as (

    select
        member_features.user_handle,
        sum(
            member_features.weight * feature_sums.weight_sum
            - case
                when member_features.feature_id = member_features.matching_feature_id
                    then member_features.weight * member_features.weight
                else 0
            end
        ) as similarity_sum
    from member_features
    inner join feature_sums on member_features.matching_feature_id = feature_sums.feature_id
    group by member_features.user_handle

)

select
    users.user_handle,
    case
        when clusters.users > 1 then least(greatest(similarities.similarity_sum / (clusters.users - 1), 0), 1)
    end as mean_similarity,
    user_clusters.is_core,
    users.total_courses,
    users.total_interests,
    users.total_assessments,
    users.top_course_tags
from similarities
inner join users on similarities.user_handle = users.user_handle
inner join user_clusters on similarities.user_handle = user_clusters.user_handle
inner join clusters on users.cluster_id = clusters.cluster_id
order by mean_similarity desc, users.user_handle asc
limit 10
