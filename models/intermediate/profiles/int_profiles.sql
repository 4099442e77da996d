-- The weighted profile of every user from all facets but the cluster: clustering reads it.
-- The similarity of two users is the sum of the products of the weights of matching features. That is the weighted sum
-- of their facet cosines, each multiplied by both users' confidence.
-- Grain: one row per user, facet and feature.

with

occurrences as (

    select * from {{ ref('int_occurrences') }}

),

features as (

    select * from {{ ref('int_features') }}

),

facets as (

    select * from {{ ref('int_facets') }}

),

scaled as not materialized (

    select
        occurrences.user_number,
        occurrences.facet_number,
        features.facet,
        features.feature_id,
        features.matching_feature_id,
        features.feature,
        occurrences.occurrences,
        power(occurrences.occurrences, facets.count_power) as evidence,
        features.rarity
    from occurrences
    inner join features
        on
            occurrences.facet_number = features.facet_number
            and occurrences.feature = features.feature
    inner join facets on occurrences.facet_number = facets.facet_number

),

-- A power of two near the largest feature: to divide by it rounds nothing.
units as (

    select
        user_number,
        facet_number,
        power(2, floor(log2(max(evidence * rarity)))) as unit
    from scaled
    group by user_number, facet_number

),

-- Lengths are summed in that unit: an exact sum keeps so many decimals only, and would lose small features.
user_facets as (

    select
        scaled.user_number,
        scaled.facet_number,
        {{ exact_sum('scaled.evidence') }} as evidence,
        any_value(units.unit) * sqrt(
            {{ exact_sum('power(scaled.evidence * scaled.rarity / units.unit, 2)') }}
        ) as profile_length
    from scaled
    inner join units
        on
            scaled.user_number = units.user_number
            and scaled.facet_number = units.facet_number
    group by scaled.user_number, scaled.facet_number

),

factors as (

    select
        user_facets.user_number,
        user_facets.facet_number,
        sqrt(facets.weight_share)
        * case
            when facets.confidence_prior = 0 then 1
            else sqrt(user_facets.evidence / (user_facets.evidence + facets.confidence_prior))
        end
        / user_facets.profile_length as factor
    from user_facets
    inner join facets on user_facets.facet_number = facets.facet_number
    where facets.weight_share > 0

)

select
    scaled.user_number,
    scaled.facet,
    scaled.feature_id,
    scaled.matching_feature_id,
    scaled.feature,
    scaled.occurrences,
    {{ within_0_and_1('scaled.evidence * scaled.rarity * factors.factor') }} as weight
from scaled
inner join factors
    on
        scaled.user_number = factors.user_number
        and scaled.facet_number = factors.facet_number
