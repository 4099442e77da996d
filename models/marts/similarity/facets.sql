-- The facets of a profile, that is the kinds of evidence that it is made of, as the vars declare them.
-- Grain: one row per facet.

with

facets as (

    select * from {{ ref('int_facets') }}

)

select
    facet_number,
    facet,
    description,
    weight,
    weight_share,
    count_power,
    idf_power,
    confidence_prior,
    matching_facet_number
from facets
order by facet_number
