-- How the tags of courses, interests and assessments were reconciled.
-- A single row.
-- spellings: Different spellings in the three vocabularies.
-- subjects: What they stand for.
-- merged_spellings: Spellings that stand for a subject of another name.
-- shared_subjects: Subjects that occur in more than one vocabulary.
select
    count(distinct raw_tag) as spellings,
    count(distinct canonical_tag) as subjects,
    count(distinct case when method != 'identical' then raw_tag end) as merged_spellings,
    (
        select count(*)
        from (
            select canonical_tag
            from tag_map
            group by canonical_tag
            having count(distinct vocabulary) > 1
        ) as shared
    ) as shared_subjects
from tag_map
