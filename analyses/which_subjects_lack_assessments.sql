-- Which subjects lack assessments, or have low scores? Subjects with many viewers where nobody was assessed, where
-- fewer than assessed_share of the viewers were, or where the mean score is at least low_by below the mean of all
-- subjects. Grain: one row per subject with a finding, the most viewed first.
-- depends_on: {{ ref('tags') }}

with

asked as (
    select
        50 as min_viewers,
        0.02 as assessed_share,
        10 as low_by,
        5 as min_assessed_users
),

all_scores as (
    select sum(avg_assessment_score * total_assessed_users) / sum(total_assessed_users) as mean_score
    from tags
),

judged as (
    select
        tags.canonical_tag as tag,
        tags.total_viewers,
        tags.total_courses,
        tags.total_assessed_users,
        tags.avg_assessment_score,
        all_scores.mean_score,
        case
            when tags.total_assessed_users = 0 then 'no assessment'
            when
                tags.total_assessed_users >= asked.min_assessed_users
                and tags.avg_assessment_score <= all_scores.mean_score - asked.low_by
                then 'low scores'
            when tags.total_assessed_users < asked.assessed_share * tags.total_viewers then 'few assessed'
        end as finding
    from tags
    cross join asked
    cross join all_scores
    where tags.total_viewers >= asked.min_viewers
)

select
    tag,
    finding,
    total_viewers,
    total_courses,
    total_assessed_users,
    round(avg_assessment_score, 1) as avg_assessment_score,
    round(avg_assessment_score - mean_score, 1) as score_above_mean
from judged
where finding is not null
order by total_viewers desc, tag asc
