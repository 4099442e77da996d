-- The result of merging the tags of courses, interests and assessments.
-- A single row.
-- spellings: The number of different spellings in the three vocabularies.
-- subjects: The number of subjects that they were merged into.
-- merged_spellings: The number of spellings with another name than their subject.
-- shared_subjects: The number of subjects that occur in more than one vocabulary.
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
