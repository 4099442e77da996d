-- Every tag that staging delivers is in tag_map, and every canonical tag stands for itself in some vocabulary.

with

tag_map as (

    select * from {{ ref('tag_map') }}

),

delivered as (

    select distinct 'course' as vocabulary, course_tag as raw_tag from {{ ref('stg_course_tags') }} where course_tag is not null

    union all

    select distinct 'interest' as vocabulary, interest_tag as raw_tag from {{ ref('stg_user_interests') }}

    union all

    select distinct 'assessment' as vocabulary, assessment_tag as raw_tag from {{ ref('stg_user_assessment_scores') }}

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
    vocabulary,
    raw_tag
from tag_map
where canonical_tag not in (select raw_tag from tag_map where method = 'identical')
