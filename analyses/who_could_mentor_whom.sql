-- Who could mentor whom? For users who were assessed, the closest user in their list whose mean score is at least
-- min_lead higher and who viewed predicted next courses of the learner (next_courses_part): close enough to understand
-- each other, and a step ahead. learners is how many learners a mentor would have. Grain: one row per learner.
-- depends_on: {{ ref('similar_users') }}, {{ ref('users') }}

with

asked as (
    select 30 as min_lead
),

pairs as (
    select
        similar_users.user_handle,
        similar_users.similar_user_handle as mentor_user_handle,
        similar_users.rank,
        similar_users.similarity,
        similar_users.next_courses_part,
        learners.avg_assessment_score,
        mentors.avg_assessment_score as mentor_avg_assessment_score
    from similar_users
    cross join asked
    inner join users as learners on similar_users.user_handle = learners.user_handle
    inner join users as mentors on similar_users.similar_user_handle = mentors.user_handle
    where
        mentors.avg_assessment_score >= learners.avg_assessment_score + asked.min_lead
        and similar_users.next_courses_part > 0
),

closest as (
    select
        pairs.user_handle,
        pairs.mentor_user_handle,
        pairs.rank,
        pairs.similarity,
        pairs.next_courses_part,
        pairs.avg_assessment_score,
        pairs.mentor_avg_assessment_score
    from pairs
    qualify row_number() over (partition by pairs.user_handle order by pairs.rank) = 1
)

select
    closest.user_handle,
    closest.mentor_user_handle,
    closest.rank as mentor_rank,
    round(closest.similarity, 3) as similarity,
    round(closest.next_courses_part / closest.similarity, 2) as ahead_share,
    round(closest.avg_assessment_score, 1) as avg_assessment_score,
    round(closest.mentor_avg_assessment_score, 1) as mentor_avg_assessment_score,
    count(*) over (partition by closest.mentor_user_handle) as learners
from closest
order by closest.similarity desc, closest.user_handle asc
