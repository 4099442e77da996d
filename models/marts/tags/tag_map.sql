-- Which spelling stands for a tag of any of the three vocabularies, and by which rule.
-- Grain: one row per vocabulary and spelling.

with

tag_keys as (

    select * from {{ ref('int_tag_keys') }}

),

-- An alias never stands for its subject. Interests come first because users choose them by name: 'c#' reads better
-- than 'c-sharp' or 'csharp'.
ranked as (

    select
        subject_key,
        raw_tag,
        spelling_key,
        symbol_key,
        wrapper_key,
        row_number() over (
            partition by subject_key
            order by
                case when wrapper_key = subject_key then 1 else 2 end asc,
                case vocabulary when 'interest' then 1 when 'course' then 2 else 3 end asc,
                uses desc,
                raw_tag asc
        ) as preference
    from tag_keys

),

canonical as (

    select
        subject_key,
        raw_tag as canonical_tag,
        spelling_key,
        symbol_key,
        wrapper_key
    from ranked
    where preference = 1

),

compared as (

    select
        tag_keys.raw_tag,
        tag_keys.vocabulary,
        canonical.canonical_tag,
        case
            when tag_keys.raw_tag = canonical.canonical_tag then 'identical'
            when tag_keys.spelling_key = canonical.spelling_key then 'spelling'
            when tag_keys.symbol_key = canonical.symbol_key then 'symbol'
            when tag_keys.wrapper_key = canonical.wrapper_key then 'wrapper'
            else 'alias'
        end as method
    from tag_keys
    inner join canonical on tag_keys.subject_key = canonical.subject_key

)

select
    raw_tag,
    vocabulary,
    canonical_tag,
    method,
    cast(case method
        when 'identical' then 1.0
        when 'spelling' then 0.98
        when 'symbol' then 0.96
        when 'wrapper' then 0.9
        else 0.9
    end as double) as score
from compared
