-- In a profile the squared weights of a facet sum to at most its share of the weight: to all of it at full confidence.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}

with

user_features as (

    select * from {{ ref('user_features') }}

),

facets as (

    select * from {{ ref('facets') }}

)

select
    user_features.user_handle,
    facets.facet,
    sum(user_features.weight * user_features.weight) as squared_length,
    any_value(facets.weight_share) as weight_share
from user_features
inner join facets on user_features.facet = facets.facet
group by user_features.user_handle, facets.facet
having
    sum(user_features.weight * user_features.weight) > any_value(facets.weight_share) * (1 + {{ rounding }})
    or (
        any_value(facets.confidence_prior) = 0
        and sum(user_features.weight * user_features.weight) < any_value(facets.weight_share) * (1 - {{ rounding }})
    )
