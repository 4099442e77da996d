-- Everything that users did, by facet, before it is weighted.
-- Grain: one row per user, facet and feature.

with

evidence as (

    select * from {{ ref('int_evidence') }}

)

select
    facet_number,
    facet,
    user_number,
    feature,
    {{ exact_sum('occurrences') }} as occurrences
from evidence
group by facet_number, facet, user_number, feature
