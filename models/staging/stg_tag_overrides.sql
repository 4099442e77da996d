-- The merges and separations of tags that the owner demands, from the seed, with clean text.
-- Grain: one row per line of the seed.

with

tag_overrides as (

    select * from {{ ref('tag_overrides') }}

)

select
    line_number,
    read_error,
    lower({{ clean_text('action') }}) as action,
    {{ clean_text('tag') }} as tag,
    lower({{ clean_text('vocabulary') }}) as vocabulary,
    {{ clean_text('other_tag') }} as other_tag,
    lower({{ clean_text('other_vocabulary') }}) as other_vocabulary,
    {{ clean_text('reason') }} as reason
from tag_overrides
