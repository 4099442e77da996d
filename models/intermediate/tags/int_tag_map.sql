-- Which spelling stands for a tag of any of the three vocabularies, by which rule, and why.
-- Grain: one row per vocabulary and spelling.

{#- How safe each rule is, the strictest first. #}
{%- set scores = {
    'identical': 1.0, 'override': 1.0, 'spelling': 0.98, 'symbol': 0.96, 'wording': 0.94, 'wrapper': 0.9, 'alias': 0.9,
    'version': 0.85, 'misspelling': 0.8,
} %}

with

tag_keys as (

    select * from {{ ref('int_tag_keys') }}

),

overrides as (

    select * from {{ ref('int_tag_overrides') }}

),

subjects as (

    select
        tag_keys.*,
        coalesce(overrides.subject_key, tag_keys.subject_key) as decided_key,
        overrides.reason
    from tag_keys
    left join overrides
        on
            tag_keys.vocabulary = overrides.vocabulary
            and tag_keys.raw_tag = overrides.raw_tag

),

-- What needs the fewest rules to reach its subject stands for it: an alias or a version only where there is nothing
-- else. Then interests come first because users choose them by name: 'c#' reads better than 'c-sharp' or 'csharp'.
ranked as (

    select
        *,
        row_number() over (
            partition by decided_key
            order by
                cast(wording_key != wrapper_key as integer) + cast(wrapper_key != alias_key as integer)
                + cast(alias_key != version_key as integer) + cast(version_key != subject_key as integer) asc,
                case vocabulary when 'interest' then 1 when 'course' then 2 else 3 end asc,
                uses desc,
                raw_tag asc
        ) as spelling_rank
    from subjects

),

preferred as (

    select
        *,
        row_number() over (
            partition by raw_tag order by left(decided_key, 6) = 'apart ' asc, decided_key asc
        ) as subject_rank
    from ranked
    where spelling_rank = 1

),

-- Only an override sets the same spelling in two vocabularies apart; the second needs another name.
canonical as (

    select
        decided_key,
        raw_tag,
        case when subject_rank = 1 then raw_tag else raw_tag || ' (' || vocabulary || ')' end as canonical_tag,
        spelling_key,
        symbol_key,
        wording_key,
        wrapper_key,
        alias_key,
        alias_kind,
        version_key,
        subject_key
    from preferred

),

compared as (

    select
        subjects.raw_tag,
        subjects.vocabulary,
        canonical.canonical_tag,
        case
            when subjects.raw_tag = canonical.canonical_tag then 'identical'
            when subjects.raw_tag = canonical.raw_tag then 'override'
            when subjects.spelling_key = canonical.spelling_key then 'spelling'
            when subjects.symbol_key = canonical.symbol_key then 'symbol'
            when subjects.wording_key = canonical.wording_key then 'wording'
            when subjects.wrapper_key = canonical.wrapper_key then 'wrapper'
            when subjects.alias_key = canonical.alias_key then 'alias'
            when subjects.version_key = canonical.version_key then 'version'
            when subjects.subject_key = canonical.subject_key then 'misspelling'
            else 'override'
        end as method,
        coalesce(subjects.alias_kind, canonical.alias_kind) as alias_kind,
        subjects.reason
    from subjects
    inner join canonical on subjects.decided_key = canonical.decided_key

)

select
    raw_tag,
    vocabulary,
    canonical_tag,
    method,
    cast(case method
        {%- for method, score in scores.items() %}
        when '{{ method }}' then {{ score }}
        {%- endfor %}
    end as double) as score,
    case when method = 'alias' then alias_kind when method in ('identical', 'override') then reason end as reason
from compared
