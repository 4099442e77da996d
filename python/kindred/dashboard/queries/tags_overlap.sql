-- How many tags of one vocabulary another one has: as they are written, and after merging spellings into subjects.
-- One row per ordered pair of vocabularies.
-- pair: The vocabulary whose tags are counted, and the vocabulary that is searched for them.
-- tags: The number of tags in the first vocabulary.
-- as_written: The number of these tags that the second has letter by letter.
-- as_subjects: The number of these tags that the second has in any spelling.
-- as_written_share: The share of these tags that the second has letter by letter.
-- as_subjects_share: The share of these tags that the second has in any spelling.
with

vocabularies as (

    select distinct vocabulary
    from tag_map

),

found as (

    select
        tag_map.vocabulary,
        vocabularies.vocabulary as other_vocabulary,
        count(distinct tag_map.raw_tag) as tags,
        count(distinct case when another.raw_tag = tag_map.raw_tag then tag_map.raw_tag end) as as_written,
        count(distinct case when another.raw_tag is not null then tag_map.raw_tag end) as as_subjects
    from tag_map
    inner join vocabularies on tag_map.vocabulary != vocabularies.vocabulary
    left join tag_map as another
        on
            vocabularies.vocabulary = another.vocabulary
            and tag_map.canonical_tag = another.canonical_tag
    group by tag_map.vocabulary, vocabularies.vocabulary

)

select
    vocabulary || ' as ' || other_vocabulary as pair,
    tags,
    as_written,
    as_subjects,
    as_written / tags as as_written_share,
    as_subjects / tags as as_subjects_share
from found
order by pair
