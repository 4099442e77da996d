-- Which subjects are related, inside and across the vocabularies, how surely, and on what evidence. There are three
-- kinds of evidence, each with a score: rules (one name contains the other, they are versions of one subject, or the
-- seed tag_relations relates them), words that both names have, and users who have both. The score is the rule's score,
-- or the mean of the words' and the users' score if that is greater. Users alone are not enough: they would relate
-- rivals.
-- Grain: one row per ordered pair of canonical tags; each pair is listed in both orders.

{%- set relation_score = 0.9 %}      {#- the seed tag_relations relates the subjects #}
{%- set version_score = 0.85 %}      {#- they are versions of one subject #}
{%- set containment_score = 0.8 %}   {#- one name contains the other #}
{%- set max_letters = 100 %}         {#- longer tags are no names: their words are not compared #}
{%- set max_word_forms = 200 %}      {#- two names of several words do not meet by a word that is in more names #}
{%- set few_users = 5 %}             {#- this many users of both halve the score: users / (users + few_users) #}

with

tag_map as (

    select * from {{ ref('int_tag_map') }}

),

tag_keys as (

    select * from {{ ref('int_tag_keys') }}

),

tag_aliases as (

    select * from {{ ref('stg_tag_aliases') }}

),

tag_relations as (

    select * from {{ ref('stg_tag_relations') }}

),

users as (

    select * from {{ ref('int_users') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

-- Rules

keyed as (

    select
        tag_map.canonical_tag,
        tag_map.raw_tag,
        tag_keys.wording_key,
        tag_keys.alias_key,
        tag_keys.alias_kind,
        tag_keys.base_key
    from tag_map
    inner join tag_keys
        on
            tag_map.vocabulary = tag_keys.vocabulary
            and tag_map.raw_tag = tag_keys.raw_tag

),

alias_keys as (

    select
        alias,
        {{ tag_key('alias', 3) }} as alias_key,
        {{ tag_key('tag', 3) }} as subject_key
    from tag_aliases

),

key_names as (

    select
        wording_key as name_key,
        canonical_tag
    from keyed

    union

    select
        alias_key as name_key,
        canonical_tag
    from keyed

),

-- Every key that names a subject; if it names two, the first canonical tag in the alphabet counts.
names as (

    select
        name_key,
        min(canonical_tag) as canonical_tag
    from key_names
    group by name_key

),

relation_keys as (

    select
        tag,
        other_tag,
        relation,
        {{ tag_key('tag', 3) }} as tag_key,
        {{ tag_key('other_tag', 3) }} as other_key
    from tag_relations

),

resolved_relations as (

    select
        relation_keys.tag,
        relation_keys.other_tag,
        relation_keys.relation,
        coalesce(tag_alias.subject_key, relation_keys.tag_key) as tag_key,
        coalesce(other_alias.subject_key, relation_keys.other_key) as other_key
    from relation_keys
    left join alias_keys as tag_alias on relation_keys.tag_key = tag_alias.alias_key
    left join alias_keys as other_alias on relation_keys.other_key = other_alias.alias_key

),

related as materialized (

    select
        one.canonical_tag as tag,
        other.canonical_tag as other_tag,
        'relation' as method,
        {{ relation_score }} as rule_score,
        case
            when resolved_relations.relation = 'same field'
                then resolved_relations.tag || ' and ' || resolved_relations.other_tag || ': same field'
            else resolved_relations.tag || ': ' || resolved_relations.relation || ' ' || resolved_relations.other_tag
        end as reason
    from resolved_relations
    inner join names as one on resolved_relations.tag_key = one.name_key
    inner join names as other on resolved_relations.other_key = other.name_key

),

bases as (

    select distinct
        canonical_tag,
        base_key
    from keyed

),

versions as (

    select
        one.canonical_tag as tag,
        other.canonical_tag as other_tag,
        'version' as method,
        {{ version_score }} as rule_score,
        'versions of ' || coalesce(names.canonical_tag, one.base_key) as reason
    from bases as one
    inner join bases as other
        on
            one.base_key = other.base_key
            and one.canonical_tag != other.canonical_tag
    left join names on one.base_key = names.name_key

),

-- Words

-- Some words are not the subject's own. A vendor's or a former name adds words that say nothing about the subject:
-- azure is not a part of Windows because it was called windows-azure. Aliases that no tag uses are searched for in
-- other tags (infrastructure-as-a-service), but other tags are not searched for in them. An alias of one word adds
-- nothing.
all_forms as (

    select
        canonical_tag,
        {{ tag_phrase('raw_tag') }} as phrase,
        case when coalesce(alias_kind, '') in ('former name', 'vendor') then 0 else 1 end as is_own
    from keyed
    where length(raw_tag) <= {{ max_letters }}

    union all

    select
        names.canonical_tag,
        {{ tag_phrase('alias_keys.alias') }} as phrase,
        0 as is_own
    from alias_keys
    inner join names on alias_keys.subject_key = names.name_key
    where {{ tag_phrase('alias_keys.alias') }} like '%-%'

),

forms as (

    select
        row_number() over (order by canonical_tag, phrase) as form_number,
        canonical_tag,
        phrase,
        max(is_own) = 1 as is_own
    from all_forms
    group by canonical_tag, phrase

),

form_words as (

    select distinct
        form_number,
        canonical_tag,
        is_own,
        {{ each_word('phrase') }} as word
    from forms

),

sized_words as (

    select
        *,
        count(*) over (partition by form_number) as words,
        count(*) over (partition by word) as word_forms
    from form_words

),

-- Which names to compare: thousands of tags that begin alike would make millions of pairs.
single_words as (

    select * from sized_words
    where words = 1

),

uncommon_words as (

    select * from sized_words
    where word_forms <= {{ max_word_forms }}

),

meeting as (

    select
        one.form_number,
        other.form_number as other_number
    from uncommon_words as one
    inner join uncommon_words as other
        on
            one.word = other.word
            and one.canonical_tag != other.canonical_tag
            and other.is_own

    union

    select
        single_words.form_number,
        sized_words.form_number as other_number
    from single_words
    inner join sized_words
        on
            single_words.word = sized_words.word
            and single_words.canonical_tag != sized_words.canonical_tag
            and sized_words.is_own

    union

    select
        sized_words.form_number,
        single_words.form_number as other_number
    from single_words
    inner join sized_words
        on
            single_words.word = sized_words.word
            and single_words.canonical_tag != sized_words.canonical_tag
            and single_words.is_own

),

meeting_words as materialized (

    select
        meeting.form_number,
        meeting.other_number,
        sized_words.word,
        sized_words.words
    from meeting
    inner join sized_words on meeting.form_number = sized_words.form_number

),

counted_pairs as (

    select
        meeting_words.form_number,
        meeting_words.other_number,
        meeting_words.words,
        count(*) as shared_words,
        1.0 * count(*) / (meeting_words.words + sized_words.words - count(*)) as shared_share
    from meeting_words
    inner join sized_words
        on
            meeting_words.other_number = sized_words.form_number
            and meeting_words.word = sized_words.word
    group by meeting_words.form_number, meeting_words.other_number, meeting_words.words, sized_words.words

),

form_pairs as (

    select
        one.canonical_tag as tag,
        other.canonical_tag as other_tag,
        one.phrase,
        counted_pairs.shared_share,
        counted_pairs.shared_words = counted_pairs.words
        and '-' || other.phrase || '-' like '%-' || one.phrase || '-%' as is_contained
    from counted_pairs
    inner join forms as one on counted_pairs.form_number = one.form_number
    inner join forms as other on counted_pairs.other_number = other.form_number

),

contained as (

    select
        tag,
        other_tag,
        'containment' as method,
        {{ containment_score }} as rule_score,
        other_tag || ' is narrower than ' || tag as reason
    from form_pairs
    where
        is_contained
        and phrase not in (
            {%- for word in common_words() %}
            '{{ word }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )

),

shared_words as (

    select
        least(tag, other_tag) as tag,
        greatest(tag, other_tag) as other_tag,
        max(case when is_contained then 1.0 else shared_share end) as token_score
    from form_pairs
    group by least(tag, other_tag), greatest(tag, other_tag)

),

-- The strongest rule of a pair

ruled as (

    select
        tag,
        other_tag,
        method,
        rule_score,
        reason
    from related

    union all

    select
        tag,
        other_tag,
        method,
        rule_score,
        reason
    from versions

    union all

    select
        tag,
        other_tag,
        method,
        rule_score,
        reason
    from contained

),

rules as (

    select
        least(tag, other_tag) as tag,
        greatest(tag, other_tag) as other_tag,
        method,
        rule_score,
        reason
    from ruled
    where tag != other_tag
    qualify row_number() over (
            partition by least(tag, other_tag), greatest(tag, other_tag)
            order by rule_score desc, method asc, reason asc
        ) = 1

),

-- Users who have both. A pair that only shares words is counted only if it can still reach the minimum score.

candidates as (

    select
        coalesce(rules.tag, shared_words.tag) as tag,
        coalesce(rules.other_tag, shared_words.other_tag) as other_tag,
        rules.method,
        rules.reason,
        coalesce(rules.rule_score, 0) as rule_score,
        coalesce(shared_words.token_score, 0) as token_score
    from rules
    full outer join shared_words
        on
            rules.tag = shared_words.tag
            and rules.other_tag = shared_words.other_tag
    where rules.tag is not null or (shared_words.token_score + 1) / 2 >= {{ var('tag_link_min_score') }}

),

-- How often subjects occur together is a share, which a sample of users estimates at a bounded cost.
sampled_users as (

    select user_number
    from users
    order by md5(cast(user_handle as varchar)), user_number
    limit {{ var('tag_link_sample_users') }}

),

sampled as (

    select
        sampled_users.user_number,
        user_interests.interest_tag as tag
    from sampled_users
    inner join user_interests on sampled_users.user_number = user_interests.user_number

    union

    select
        sampled_users.user_number,
        user_assessments.assessment_tag as tag
    from sampled_users
    inner join user_assessments on sampled_users.user_number = user_assessments.user_number

    union

    select
        sampled_users.user_number,
        course_tags.course_tag as tag
    from sampled_users
    inner join user_courses on sampled_users.user_number = user_courses.user_number
    inner join course_tags on user_courses.course_id = course_tags.course_id

),

tag_users as (

    select
        tag,
        count(*) as users
    from sampled
    group by tag

),

-- The materialized steps, here and above, keep the engine from joining all tags, or all words, with each other first.
counted as materialized (

    select
        candidates.tag,
        candidates.other_tag,
        tag_users.users
    from candidates
    inner join tag_users on candidates.tag = tag_users.tag

),

-- The users of the rarer tag are tried one by one.
tried as (

    select
        counted.tag,
        counted.other_tag,
        counted.users,
        tag_users.users as other_users,
        case when counted.users <= tag_users.users then counted.tag else counted.other_tag end as rarer_tag,
        case when counted.users <= tag_users.users then counted.other_tag else counted.tag end as commoner_tag
    from counted
    inner join tag_users on counted.other_tag = tag_users.tag

),

tried_users as materialized (

    select
        tried.tag,
        tried.other_tag,
        tried.users,
        tried.other_users,
        tried.commoner_tag,
        sampled.user_number
    from tried
    inner join sampled on tried.rarer_tag = sampled.tag

),

together as (

    select
        tried_users.tag,
        tried_users.other_tag,
        tried_users.users,
        tried_users.other_users,
        count(*) as users_of_both
    from tried_users
    inner join sampled
        on
            tried_users.commoner_tag = sampled.tag
            and tried_users.user_number = sampled.user_number
    group by tried_users.tag, tried_users.other_tag, tried_users.users, tried_users.other_users

),

totals as (

    select count(*) as users from sampled_users

),

-- Pointwise mutual information, normalised to 1 for subjects that only occur together (Bouma 2009), and reduced if few
-- users have both.
cooccurring as (

    select
        together.tag,
        together.other_tag,
        together.users_of_both,
        {{ mutual_information('together.users_of_both', 'together.users', 'together.other_users', 'totals.users') }}
        * together.users_of_both / (together.users_of_both + {{ few_users }}) as cooccurrence_score
    from together
    cross join totals

),

scored as (

    select
        candidates.tag,
        candidates.other_tag,
        candidates.method,
        candidates.reason,
        candidates.rule_score,
        candidates.token_score,
        coalesce(cooccurring.cooccurrence_score, 0) as cooccurrence_score,
        coalesce(cooccurring.users_of_both, 0) as users_of_both,
        (candidates.token_score + coalesce(cooccurring.cooccurrence_score, 0)) / 2 as shared_score
    from candidates
    left join cooccurring
        on
            candidates.tag = cooccurring.tag
            and candidates.other_tag = cooccurring.other_tag

),

judged as (

    select
        tag,
        other_tag,
        greatest(rule_score, shared_score) as score,
        case when rule_score >= shared_score then method else 'words' end as method,
        case when rule_score >= shared_score then reason else 'shared words and users' end as reason,
        rule_score,
        token_score,
        cooccurrence_score,
        users_of_both
    from scored
    where greatest(rule_score, shared_score) >= {{ var('tag_link_min_score') }}

),

both_orders as (

    select * from judged

    union all

    select
        other_tag as tag,
        tag as other_tag,
        score,
        method,
        reason,
        rule_score,
        token_score,
        cooccurrence_score,
        users_of_both
    from judged

)

select
    tag,
    other_tag,
    cast(score as double) as score,
    method,
    reason,
    cast(rule_score as double) as rule_score,
    cast(token_score as double) as token_score,
    cast(cooccurrence_score as double) as cooccurrence_score,
    users_of_both
from both_orders
