-- Whether users who are close by one kind of evidence are alike in another that had no part in it.
-- One row per measure and kind of pair.
-- measure: What is measured, and on which pairs where it is measured on several kinds.
select
    measure || case when variant = 'all facets' then '' else ', ' || variant end as measure,
    value,
    meaning
from neighbour_quality
where
    measure like 'lift of % overlap%'
    or measure like 'pairs with a course tag in common%'
order by measure
