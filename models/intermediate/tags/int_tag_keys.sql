-- The keys under which spellings of one subject meet, from strict to loose (see the macro tag_key).
-- Grain: one row per vocabulary and spelling.

with

tag_uses as (

    select * from {{ ref('int_tag_uses') }}

),

tag_aliases as (

    select * from {{ ref('tag_aliases') }}

),

alias_keys as (

    select
        {{ tag_key('alias', "'course'", 2) }} as alias_key,
        min({{ tag_key('tag', "'course'", 2) }}) as subject_key
    from tag_aliases
    group by alias_key

),

keys as (

    select
        vocabulary,
        raw_tag,
        uses,
        {{ tag_key('raw_tag', 'vocabulary', 1) }} as spelling_key,
        {{ tag_key('raw_tag', 'vocabulary', 2) }} as symbol_key,
        {{ tag_key('raw_tag', 'vocabulary', 3) }} as wrapper_key
    from tag_uses

)

select
    keys.vocabulary,
    keys.raw_tag,
    keys.uses,
    keys.spelling_key,
    keys.symbol_key,
    keys.wrapper_key,
    coalesce(alias_keys.subject_key, keys.wrapper_key) as subject_key
from keys
left join alias_keys on keys.wrapper_key = alias_keys.alias_key
