-- The canonical spelling of every tag of the three vocabularies, with the rule and the reason for it.
-- Grain: one row per vocabulary and spelling.

with

tag_map as (

    select * from {{ ref('int_tag_map') }}

)

select
    raw_tag,
    vocabulary,
    canonical_tag,
    method,
    score,
    reason
from tag_map
