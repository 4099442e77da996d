-- Every feature that a profile can have, how many users have it and how much its rarity counts.
-- Grain: one row per facet and feature.

with

occurrences as not materialized (

    select * from {{ ref('int_occurrences') }}

),

facets as (

    select * from {{ ref('int_facets') }}

),

facet_users as (

    select
        facet_number,
        count(distinct user_number) as users
    from occurrences
    group by facet_number

),

-- While the rarity of features is frozen, a profile changes only when its user does something.
frozen as (
    {% if statistics_are_frozen() %}
    select
        facet,
        feature,
        idf
    from {{ this }}
    {% else %}
    select
        cast(null as varchar) as facet,
        cast(null as varchar) as feature,
        cast(null as double) as idf
    where false
    {% endif %}
),

feature_users as (

    select
        facet_number,
        feature,
        count(*) as users
    from occurrences
    group by facet_number, feature

),

-- Ids are dense within a facet and sort by facet, so that a facet is one range of ids. Facets that match each other
-- number their features together, so that the same feature has the same number in both. 1 + n/df keeps the idf above 0
-- even if everyone has the feature: in a facet with a single feature, it is still something in common.
numbered as (

    select
        feature_users.facet_number,
        facets.facet,
        facets.matching_facet_number,
        facets.idf_power,
        feature_users.feature,
        feature_users.users,
        coalesce(frozen.idf, ln(1 + cast(facet_users.users as double) / feature_users.users)) as idf,
        dense_rank() over (
            partition by least(facets.facet_number, facets.matching_facet_number)
            order by feature_users.feature
        ) as feature_number
    from feature_users
    inner join facet_users on feature_users.facet_number = facet_users.facet_number
    inner join facets on feature_users.facet_number = facets.facet_number
    left join frozen
        on
            facets.facet = frozen.facet
            and feature_users.feature = frozen.feature

)

select
    {{ feature_id('facet_number', 'feature_number') }} as feature_id,
    {{ feature_id('matching_facet_number', 'feature_number') }} as matching_feature_id,
    facet_number,
    facet,
    feature,
    users,
    idf,
    power(idf, idf_power) as rarity
from numbered
