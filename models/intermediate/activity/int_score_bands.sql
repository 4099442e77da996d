-- The bands that the scores of each assessment fall into. Platforms score on different scales, and subjects are not
-- equally hard, so that bands are thirds of the users: those assessed in the subject or, where they are few, all users
-- who were assessed. The var score_band_edges sets fixed edges instead. Bands are a frozen statistic
-- (int_frozen_statistics); a subject that is new since then has the bands of this build.
-- Grain: one row per canonical assessment tag and band.

{%- set min_users = 30 %} {#- with fewer, the edges of thirds are off by more than a tenth of the users #}

with

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

-- The scale of a subject is its own, or the one of all subjects, which has no name.
subjects as (

    select
        assessment_tag,
        case when count(*) >= {{ min_users }} then assessment_tag else '' end as scale
    from user_assessments
    group by assessment_tag

),

{% if fixed_score_bands() -%}
bands as (

    {% for band in fixed_score_bands() -%}
    select
        assessment_tag,
        false as has_own_edges,
        {{ loop.index }} as band_number,
        '{{ band.label }}' as label,
        cast({{ 'null' if band.from is none else band.from }} as double) as from_score,
        cast({{ 'null' if band.below is none else band.below }} as double) as below_score
    from subjects
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),
{%- else -%}
scales as (

    select
        subjects.scale,
        user_assessments.score,
        count(*) as users
    from user_assessments
    inner join subjects on user_assessments.assessment_tag = subjects.assessment_tag
    where subjects.scale != ''
    group by subjects.scale, user_assessments.score

    union all

    select
        '' as scale,
        score,
        count(*) as users
    from user_assessments
    group by score

),

ranked as (

    select
        scale,
        score,
        sum(users) over (partition by scale order by score) - users as users_below,
        sum(users) over (partition by scale) as total_users
    from scales

),

thirds as (

    select 1 as third
    union all
    select 2 as third

),

-- An edge is the score that leaves nearest to a third, or two thirds, of the users below it. Equal scores thus stay
-- together, no band is empty, and passed or failed makes two bands.
nearest as (

    select
        ranked.scale,
        ranked.score
    from ranked
    cross join thirds
    where ranked.users_below > 0
    qualify
        row_number() over (
            partition by ranked.scale, thirds.third
            order by abs(3 * ranked.users_below - thirds.third * ranked.total_users), ranked.score
        ) = 1

),

starts as (

    select
        scale,
        cast(null as double) as from_score
    from scales
    group by scale

    union all

    select
        scale,
        score as from_score
    from nearest
    group by scale, score

),

scale_bands as (

    select
        scale,
        from_score,
        lead(from_score) over (partition by scale order by from_score nulls first) as below_score,
        row_number() over (partition by scale order by from_score nulls first) as band_number,
        count(*) over (partition by scale) as total_bands
    from starts

),

bands as (

    select
        subjects.assessment_tag,
        subjects.scale != '' as has_own_edges,
        scale_bands.band_number,
        case
            when scale_bands.total_bands = 1 then 'any score'
            when scale_bands.from_score is null then 'low score'
            when scale_bands.below_score is null then 'high score'
            else 'middle score'
        end as label,
        scale_bands.from_score,
        scale_bands.below_score
    from subjects
    inner join scale_bands on subjects.scale = scale_bands.scale

),
{%- endif %}

frozen as (
    {% if statistics_are_frozen() %}
    select
        assessment_tag,
        has_own_edges,
        band_number,
        label,
        from_score,
        below_score
    from {{ this }}
    where assessment_tag in (select subjects.assessment_tag from subjects)
    {% else %}
    select
        assessment_tag,
        has_own_edges,
        band_number,
        label,
        from_score,
        below_score
    from bands
    where false
    {% endif %}
)

select
    assessment_tag,
    has_own_edges,
    band_number,
    label,
    from_score,
    below_score
from frozen

union all

select
    assessment_tag,
    has_own_edges,
    band_number,
    label,
    from_score,
    below_score
from bands
where assessment_tag not in (select frozen.assessment_tag from frozen)
