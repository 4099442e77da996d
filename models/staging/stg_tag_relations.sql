-- Related subjects whose names do not show it, from the seed.
-- Grain: one row per row of the seed.

with

tag_relations as (

    select * from {{ ref('tag_relations') }}

)

select
    tag,
    other_tag,
    relation
from tag_relations
