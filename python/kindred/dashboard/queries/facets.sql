-- The kinds of evidence that a similarity is made of.
-- One row per facet.
select
    facet_number,
    facet,
    description,
    weight_share
from facets
order by facet_number
