-- Whether users who are similar by one kind of evidence are also alike in another kind that was not used.
-- One row per measure and kind of pair.
-- label: What is measured, and on which pairs if it is measured on several kinds.
select
    label || case when variant = 'all_facets' then '' else ', ' || replace(variant, '_', ' ') end as label,
    value,
    unit,
    meaning
from neighbour_quality
where measure in ('course_overlap_lift', 'interest_overlap_lift', 'pairs_with_common_course_tag_share')
order by measure, variant
