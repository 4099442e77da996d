-- Every feature that a profile can hold, how many users have it, and how much its rarity counts.
-- Grain: one row per facet and feature, in the order of their ids.

with

evidence_features as (

    select * from {{ ref('int_features') }}

),

user_cluster as (

    select * from {{ ref('facet_cluster') }}

),

facets as (

    select * from {{ ref('facets') }}

),

cluster_users as (

    select
        feature,
        count(*) as users
    from user_cluster
    group by feature

),

cluster_features as (

    select
        {{ feature_id('facets.facet_number', 'dense_rank() over (order by cluster_users.feature)') }} as feature_id,
        facets.facet_number,
        facets.facet,
        cluster_users.feature,
        cluster_users.users,
        ln(1 + sum(cast(cluster_users.users as double)) over () / cluster_users.users) as idf,
        facets.idf_power
    from cluster_users
    inner join facets on facets.facet = 'cluster'

),

combined as (

    select
        feature_id,
        matching_feature_id,
        facet_number,
        facet,
        feature,
        users,
        idf,
        rarity
    from evidence_features

    union all

    select
        feature_id,
        feature_id as matching_feature_id,
        facet_number,
        facet,
        feature,
        users,
        idf,
        power(idf, idf_power) as rarity
    from cluster_features

)

select
    feature_id,
    matching_feature_id,
    facet_number,
    facet,
    feature,
    users,
    idf,
    rarity
from combined
order by feature_id
