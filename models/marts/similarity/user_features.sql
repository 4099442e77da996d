-- The profile of every user: what they did, and the weight of each feature in their similarity to others.
-- The similarity of two users is the sum of the products of their weights over matching features, so that each
-- feature's part is exact. A feature matches itself, except that next_courses and taken_courses match each other.
-- Grain: one row per user, facet and feature, in the order of user and feature.

with

users as (

    select * from {{ ref('int_users') }}

),

profiles as (

    select * from {{ ref('int_profiles') }}

),

user_cluster as (

    select * from {{ ref('facet_cluster') }}

),

features as (

    select * from {{ ref('features') }}

),

facets as (

    select * from {{ ref('facets') }}

),

-- A user has one cluster or none, so the cosine is 1 or 0, and the weight of the feature is the weight of the facet.
cluster_features as (

    select
        user_cluster.user_number,
        facets.facet,
        features.feature_id,
        user_cluster.feature,
        user_cluster.occurrences,
        sqrt(facets.weight_share) as weight
    from user_cluster
    inner join facets on facets.facet = 'cluster'
    inner join features
        on
            user_cluster.feature = features.feature
            and facets.facet = features.facet
    where facets.weight_share > 0

),

combined as (

    select
        user_number,
        facet,
        feature_id,
        matching_feature_id,
        feature,
        occurrences,
        weight
    from profiles

    union all

    select
        user_number,
        facet,
        feature_id,
        feature_id as matching_feature_id,
        feature,
        occurrences,
        weight
    from cluster_features

)

select
    users.user_handle,
    combined.facet,
    combined.feature_id,
    combined.matching_feature_id,
    combined.feature,
    combined.occurrences,
    combined.weight
from combined
inner join users on combined.user_number = users.user_number
order by combined.user_number, combined.feature_id
