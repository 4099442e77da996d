-- Every tag as it is spelled in each of the three vocabularies, how much it is used, and its keys, from strict to
-- loose: spellings of one subject have the same key. The first three keys come from the tag alone (macro tag_key), the
-- others also depend on other tags: a wrapper, an alias, a version without siblings, a misspelling.
-- Grain: one row per vocabulary and spelling.

{%- set min_slip_letters = 5 %}      {#- shorter keys are never slips of the pen #}
{%- set max_slip_letters = 100 %}    {#- longer tags are no words: they are not compared letter by letter #}
{%- set long_word_letters = 10 %}    {#- in keys this long a slip needs no shared courses or followers #}
{%- set min_shared_uses = 0.9 %}     {#- the share of courses and followers that a shorter slip shares with its word #}

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

    select * from {{ ref('stg_tag_aliases') }}

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
        {{ tag_key('alias', 3) }} as alias_key,
        min({{ tag_key('tag', 3) }}) as subject_key,
        min(kind) as kind
    from tag_aliases
    group by alias_key

),

-- The texts that need a key, computed once: a repeated expression costs time wherever it stands.
tag_parts as (

    select
        vocabulary,
        raw_tag,
        uses,
        case
            when vocabulary = 'assessment' then {{ unwrapped_tag('raw_tag') }}
            else {{ without_using('raw_tag') }}
        end as unwrapped_tag,
        {{ first_word('raw_tag') }} as first_word,
        {{ without_first_word('raw_tag') }} as rest
    from tag_uses

),

spelled as (

    select
        vocabulary,
        raw_tag,
        uses,
        {{ tag_key('raw_tag', 1) }} as spelling_key,
        {{ tag_key('raw_tag', 2) }} as symbol_key,
        {{ tag_key('raw_tag', 3) }} as wording_key,
        {{ tag_key('unwrapped_tag', 3) }} as unwrapped_key,
        case when vocabulary = 'assessment' then {{ tag_key(product_of_test('unwrapped_tag'), 3) }} end as product_key,
        {{ tag_key('first_word', 3) }} as first_word_key,
        {{ tag_key('rest', 3) }} as rest_key
    from tag_parts

),

-- Names that occur on courses, among interests or in the list of aliases, and the subject that each stands for.
known as (

    select
        alias_key as known_key,
        subject_key
    from alias_keys

    union

    select
        spelled.wording_key as known_key,
        coalesce(alias_keys.subject_key, spelled.wording_key) as subject_key
    from spelled
    left join alias_keys on spelled.wording_key = alias_keys.alias_key
    where spelled.vocabulary != 'assessment'

),

-- The test of a product stands for the product, unless something else has the name of the test.
unwrapped as (

    select
        spelled.*,
        case
            when own.known_key is null and product.known_key is not null then spelled.product_key
            else spelled.unwrapped_key
        end as wrapper_key
    from spelled
    left join known as own on spelled.unwrapped_key = own.known_key
    left join known as product on spelled.product_key = product.known_key

),

-- An alias also counts as the first word of a longer tag, if the spelled-out tag is known: vr-video.
aliased as (

    select
        unwrapped.*,
        coalesce(alias_keys.subject_key, longer.subject_key, unwrapped.wrapper_key) as alias_key,
        case
            when alias_keys.kind is not null then alias_keys.kind
            when longer.subject_key != unwrapped.wrapper_key then first_words.kind
        end as alias_kind
    from unwrapped
    left join alias_keys on unwrapped.wrapper_key = alias_keys.alias_key
    left join alias_keys as first_words on unwrapped.first_word_key = first_words.alias_key
    left join known as longer on first_words.subject_key || unwrapped.rest_key = longer.known_key

),

aliased_keys as (

    select
        alias_key,
        max(uses) as uses
    from aliased
    group by alias_key

),

unversioned as (

    select
        alias_key,
        {{ unversioned_key('alias_key') }} as bare_key,
        -- Editions of a product (cc) replace each other and are its name; numbered versions may exist side by side.
        regexp_matches(alias_key, '[0-9]$') as is_numbered
    from aliased_keys

),

bare_keys as (

    select
        unversioned.alias_key,
        unversioned.is_numbered,
        coalesce(alias_keys.subject_key, unversioned.bare_key) as bare_key
    from unversioned
    left join alias_keys on unversioned.bare_key = alias_keys.alias_key
    where unversioned.bare_key is not null

),

-- The only version of a subject is the subject. If there are several, the name alone may mean any of them.
versions as (

    select
        bare_keys.alias_key,
        bare_keys.bare_key
    from bare_keys
    inner join aliased_keys on bare_keys.bare_key = aliased_keys.alias_key
    qualify
        count(*) filter (where bare_keys.is_numbered) over (partition by bare_keys.bare_key) = 1
        or not bare_keys.is_numbered

),

versioned as (

    select
        aliased.*,
        coalesce(bare_keys.bare_key, aliased.alias_key) as base_key,
        coalesce(versions.bare_key, aliased.alias_key) as version_key
    from aliased
    left join bare_keys on aliased.alias_key = bare_keys.alias_key
    left join versions on aliased.alias_key = versions.alias_key

),

versioned_keys as (

    select
        version_key,
        max(uses) as uses
    from versioned
    group by version_key

),

-- Only words are compared letter by letter.
words as (

    select
        version_key,
        uses
    from versioned_keys
    where
        length(version_key) between {{ min_slip_letters - 1 }} and {{ max_slip_letters }}
        and regexp_matches(version_key, '^\p{L}+$')

),

-- Words that differ by a slip have a spelling in common once a letter of either or both is left out: only those meet.
shortened as (

    select
        version_key,
        uses,
        version_key as spelling
    from words

    union

    select
        version_key,
        uses,
        {{ without_letter('version_key', 'place') }} as spelling
    from (
        select
            version_key,
            uses,
            {{ each_place('version_key') }} as place
        from words
    ) as placed

),

-- A letter is left out, doubled or swapped with the next. The less used key is the slip, or the shorter if equal.
near_misses as (

    select distinct
        one.version_key,
        other.version_key as right_key,
        other.uses as right_uses
    from shortened as one
    inner join shortened as other
        on
            one.spelling = other.spelling
            and (one.uses, length(one.version_key), one.version_key)
            < (other.uses, length(other.version_key), other.version_key)
            and left(one.version_key, 1) = left(other.version_key, 1)
            and abs(length(one.version_key) - length(other.version_key)) <= 1
            and {{ differ_by_a_slip('one.version_key', 'other.version_key') }}
    where length(one.version_key) >= {{ min_slip_letters }}

),

-- In a short word one letter makes another word, so both words must also have the same courses or followers.
near_miss_tags as (

    select
        near_misses.version_key,
        near_misses.right_key,
        versioned.vocabulary,
        versioned.raw_tag,
        versioned.version_key = near_misses.right_key as is_right
    from near_misses
    inner join versioned
        on versioned.version_key in (near_misses.version_key, near_misses.right_key)
    where length(near_misses.version_key) < {{ long_word_letters }}

),

near_miss_uses as (

    select
        near_miss_tags.version_key,
        near_miss_tags.right_key,
        near_miss_tags.vocabulary,
        near_miss_tags.is_right,
        course_tags.course_id as used_by
    from near_miss_tags
    inner join course_tags on near_miss_tags.raw_tag = course_tags.course_tag
    where near_miss_tags.vocabulary = 'course'

    union all

    select
        near_miss_tags.version_key,
        near_miss_tags.right_key,
        near_miss_tags.vocabulary,
        near_miss_tags.is_right,
        cast(interests.user_handle as varchar) as used_by
    from near_miss_tags
    inner join interests on near_miss_tags.raw_tag = interests.interest_tag
    where near_miss_tags.vocabulary = 'interest'

),

shared_uses as (

    select
        version_key,
        right_key,
        vocabulary,
        used_by,
        count(distinct is_right) as sides
    from near_miss_uses
    group by version_key, right_key, vocabulary, used_by

),

shared as (

    select
        version_key,
        right_key
    from shared_uses
    group by version_key, right_key
    having count(*) filter (where sides = 2) >= {{ min_shared_uses }} * count(*)

),

slips as (

    select
        near_misses.version_key,
        near_misses.right_key
    from near_misses
    left join shared
        on
            near_misses.version_key = shared.version_key
            and near_misses.right_key = shared.right_key
    where length(near_misses.version_key) >= {{ long_word_letters }} or shared.version_key is not null
    qualify row_number() over (
            partition by near_misses.version_key
            order by near_misses.right_uses desc, near_misses.right_key asc
        ) = 1

)

select
    versioned.vocabulary,
    versioned.raw_tag,
    versioned.uses,
    versioned.spelling_key,
    versioned.symbol_key,
    versioned.wording_key,
    versioned.wrapper_key,
    versioned.alias_key,
    versioned.alias_kind,
    versioned.base_key,
    versioned.version_key,
    coalesce(slips.right_key, versioned.version_key) as subject_key
from versioned
left join slips on versioned.version_key = slips.version_key
