-- Every tag of staging is in tag_map, and every canonical tag stands for itself in some vocabulary.

with

tag_map as (

    select * from {{ ref('tag_map') }}

),

delivered as (

    select
        'course' as vocabulary,
        course_tag as raw_tag
    from {{ ref('stg_course_tags') }}
    where course_tag is not null

    union

    select
        'interest' as vocabulary,
        interest_tag as raw_tag
    from {{ ref('stg_user_interests') }}

    union

    select
        'assessment' as vocabulary,
        assessment_tag as raw_tag
    from {{ ref('stg_user_assessment_scores') }}

),

own_spellings as (

    select distinct canonical_tag
    from tag_map
    -- An override can separate the same spelling in two vocabularies; one of them then has a name of its own.
    where method = 'identical' or (method = 'override' and canonical_tag = raw_tag || ' (' || vocabulary || ')')

)

select
    delivered.vocabulary,
    delivered.raw_tag
from delivered
left join tag_map
    on
        delivered.vocabulary = tag_map.vocabulary
        and delivered.raw_tag = tag_map.raw_tag
where tag_map.canonical_tag is null

union all

select
    tag_map.vocabulary,
    tag_map.raw_tag
from tag_map
left join own_spellings on tag_map.canonical_tag = own_spellings.canonical_tag
where own_spellings.canonical_tag is null
