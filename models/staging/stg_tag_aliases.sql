-- Other names of subjects that no spelling rule can know, from the seed.
-- Grain: one row per row of the seed.

with

tag_aliases as (

    select * from {{ ref('tag_aliases') }}

)

select
    alias,
    tag,
    kind
from tag_aliases
