-- The tags whose subject the owner's tag_overrides decide, with the key of that subject. First every tag that a line
-- separates leaves the subject that the rules gave it, if the other tag has the same; then merged subjects become one,
-- and so do those merged with these. A line that cannot be carried out stops the build.
-- Grain: one row per vocabulary and spelling; tags that no line concerns have none.

with recursive

tag_keys as (

    select * from {{ ref('int_tag_keys') }}

),

override_lines as (

    select * from {{ ref('stg_tag_overrides') }}

),

sides as (

    select
        line_number,
        1 as side,
        tag,
        vocabulary
    from override_lines

    union all

    select
        line_number,
        2 as side,
        other_tag as tag,
        other_vocabulary as vocabulary
    from override_lines

),

named as (

    select
        sides.line_number,
        sides.side,
        tag_keys.vocabulary,
        tag_keys.raw_tag,
        tag_keys.subject_key
    from sides
    inner join tag_keys
        on
            sides.tag = tag_keys.raw_tag
            and coalesce(sides.vocabulary, tag_keys.vocabulary) = tag_keys.vocabulary

),

separated as (

    select distinct
        one.vocabulary,
        one.raw_tag,
        'apart ' || one.raw_tag as subject_key
    from named as one
    inner join override_lines on one.line_number = override_lines.line_number
    inner join named as other
        on
            one.line_number = other.line_number
            and one.subject_key = other.subject_key
    where override_lines.action = 'separate' and one.side = 1 and other.side = 2

),

separated_tags as (

    select
        named.line_number,
        named.side,
        named.vocabulary,
        named.raw_tag,
        coalesce(separated.subject_key, named.subject_key) as subject_key
    from named
    left join separated
        on
            named.vocabulary = separated.vocabulary
            and named.raw_tag = separated.raw_tag

),

-- All that a merging line names is one subject, also the same spelling in several vocabularies.
joined as (

    select distinct
        one.subject_key,
        other.subject_key as other_key
    from separated_tags as one
    inner join override_lines on one.line_number = override_lines.line_number
    inner join separated_tags as other on one.line_number = other.line_number
    where override_lines.action = 'merge'

),

reachable as (

    select
        subject_key,
        other_key
    from joined

    union

    select
        reachable.subject_key,
        joined.other_key
    from reachable
    inner join joined on reachable.other_key = joined.subject_key

),

merged as (

    select
        subject_key,
        min(other_key) as merged_key
    from reachable
    group by subject_key

),

decided as (

    select
        tag_keys.vocabulary,
        tag_keys.raw_tag,
        coalesce(merged.merged_key, separated.subject_key) as subject_key
    from tag_keys
    left join separated
        on
            tag_keys.vocabulary = separated.vocabulary
            and tag_keys.raw_tag = separated.raw_tag
    left join merged on coalesce(separated.subject_key, tag_keys.subject_key) = merged.subject_key
    where coalesce(merged.merged_key, separated.subject_key) is not null

),

line_subjects as (

    select
        separated_tags.line_number,
        separated_tags.side,
        separated_tags.vocabulary,
        separated_tags.raw_tag,
        coalesce(decided.subject_key, separated_tags.subject_key) as subject_key
    from separated_tags
    left join decided
        on
            separated_tags.vocabulary = decided.vocabulary
            and separated_tags.raw_tag = decided.raw_tag

),

contradictions as (

    select distinct one.line_number
    from line_subjects as one
    inner join override_lines on one.line_number = override_lines.line_number
    inner join line_subjects as other
        on
            one.line_number = other.line_number
            and one.subject_key = other.subject_key
    where override_lines.action = 'separate' and one.side = 1 and other.side = 2

),

problems as (

    select
        line_number,
        read_error as problem
    from override_lines
    where read_error is not null

    union all

    select
        line_number,
        'the action is ' || coalesce(action, 'missing') || ', but it must be merge or separate' as problem
    from override_lines
    where read_error is null and coalesce(action, '') not in ('merge', 'separate')

    union all

    select
        line_number,
        'the reason is missing' as problem
    from override_lines
    where read_error is null and reason is null

    union all

    select
        sides.line_number,
        case
            when sides.tag is null then case sides.side when 1 then 'the tag' else 'the other tag' end || ' is missing'
            when coalesce(sides.vocabulary, 'course') not in ('course', 'interest', 'assessment')
                then 'the vocabulary is ' || sides.vocabulary
                    || ', but it must be course, interest, assessment or blank'
            else 'there is no tag ' || sides.tag || coalesce(' in the vocabulary ' || sides.vocabulary, '')
        end as problem
    from sides
    inner join override_lines on sides.line_number = override_lines.line_number
    left join named
        on
            sides.line_number = named.line_number
            and sides.side = named.side
    where override_lines.read_error is null and named.raw_tag is null

    union all

    select
        override_lines.line_number,
        override_lines.tag || ' cannot be separated from ' || override_lines.other_tag
        || ': they are the same tag, or other lines merge them' as problem
    from override_lines
    inner join contradictions on override_lines.line_number = contradictions.line_number

),

all_problems as (

    select {{ join_text("'line ' || line_number || ': ' || problem", 'line_number, problem') }} as problems
    from problems

),

given_reasons as (

    select distinct
        line_subjects.subject_key,
        override_lines.reason
    from line_subjects
    inner join override_lines on line_subjects.line_number = override_lines.line_number
    where override_lines.action = 'merge' or line_subjects.side = 1

),

reasons as (

    select
        subject_key,
        {{ join_text('reason') }} as reason
    from given_reasons
    group by subject_key

)

select
    decided.vocabulary,
    decided.raw_tag,
    decided.subject_key,
    reasons.reason
from decided
left join reasons on decided.subject_key = reasons.subject_key

union all

select
    null as vocabulary,
    null as raw_tag,
    {{ fail("'seeds/tag_overrides.csv cannot be carried out: ' || problems || '.'") }} as subject_key,
    null as reason
from all_problems
where problems is not null
