-- Every tag as it is spelled in each of the three vocabularies, how much it is used, and the keys under which
-- spellings of one subject meet, from strict to loose (see the macro tag_key).
-- Grain: one row per vocabulary and spelling.

with

course_tags as (

    select * from {{ ref('stg_course_tags') }}

),

interests as (

    select * from {{ ref('stg_user_interests') }}

),

assessment_scores as (

    select * from {{ ref('stg_user_assessment_scores') }}

),

tag_aliases as (

    select * from {{ ref('tag_aliases') }}

),

tag_uses as (

    select
        'course' as vocabulary,
        course_tag as raw_tag,
        count(distinct course_id) as uses
    from course_tags
    where course_tag is not null
    group by course_tag

    union all

    select
        'interest' as vocabulary,
        interest_tag as raw_tag,
        count(distinct user_handle) as uses
    from interests
    group by interest_tag

    union all

    select
        'assessment' as vocabulary,
        assessment_tag as raw_tag,
        count(distinct user_handle) as uses
    from assessment_scores
    group by assessment_tag

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
