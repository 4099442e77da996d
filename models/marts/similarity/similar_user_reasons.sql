-- Why two users are similar: every feature of a user that matches a feature of a listed neighbour, and its exact part
-- in their similarity. The contributions of a pair sum to its similarity.
-- It is a view: the reasons of one user take milliseconds, and a table of all would be most of the warehouse.
-- Grain: one row per listed pair and shared feature.

with

similar_users as (

    select * from {{ ref('similar_users') }}

),

user_features as not materialized (

    select * from {{ ref('user_features') }}

),

shared as (

    select
        similar_users.user_handle,
        similar_users.similar_user_handle,
        user_features.facet,
        user_features.feature_id,
        user_features.feature,
        user_features.weight * other_features.weight as contribution
    from similar_users
    inner join user_features
        on similar_users.user_handle = user_features.user_handle
    inner join user_features as other_features
        on
            similar_users.similar_user_handle = other_features.user_handle
            and user_features.matching_feature_id = other_features.feature_id

)

select
    user_handle,
    similar_user_handle,
    row_number() over (
        partition by user_handle, similar_user_handle
        order by contribution desc, feature_id asc
    ) as reason_rank,
    facet,
    feature,
    contribution
from shared
