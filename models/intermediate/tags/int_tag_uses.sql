-- Every tag as it is spelled in each of the three vocabularies, with how much it is used.
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

)

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
