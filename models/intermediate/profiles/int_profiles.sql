-- The weighted profile of every user from all facets but the cluster: what clustering reads.
-- The dot product of two profiles is the weighted sum of their facet cosines, each times both users' confidence.
-- Grain: one row per user, facet and feature.

with

occurrences as (

    select * from {{ ref('int_occurrences') }}

),

features as (

    select * from {{ ref('int_features') }}

),

facets as (

    select * from {{ ref('facets') }}

),

scaled as (

    select
        occurrences.user_handle,
        occurrences.facet_number,
        features.facet,
        features.feature_id,
        features.feature,
        occurrences.occurrences,
        case facets.count_transform
            when 'binary' then 1
            when 'sqrt' then sqrt(occurrences.occurrences)
            else occurrences.occurrences
        end as evidence,
        features.rarity
    from occurrences
    inner join features
        on
            occurrences.facet_number = features.facet_number
            and occurrences.feature = features.feature
    inner join facets on occurrences.facet_number = facets.facet_number

),

user_facets as (

    select
        scaled.user_handle,
        scaled.facet_number,
        sqrt(any_value(facets.weight_share))
        * sqrt(sum(scaled.evidence) / (sum(scaled.evidence) + any_value(facets.confidence_prior)))
        / sqrt(sum(power(scaled.evidence * scaled.rarity, 2))) as factor
    from scaled
    inner join facets on scaled.facet_number = facets.facet_number
    group by scaled.user_handle, scaled.facet_number

)

select
    scaled.user_handle,
    scaled.facet,
    scaled.feature_id,
    scaled.feature,
    scaled.occurrences,
    scaled.evidence * scaled.rarity * user_facets.factor as weight
from scaled
inner join user_facets
    on
        scaled.user_handle = user_facets.user_handle
        and scaled.facet_number = user_facets.facet_number
where user_facets.factor > 0
