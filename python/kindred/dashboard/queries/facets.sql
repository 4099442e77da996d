-- The facets: the kinds of evidence that make up a similarity.
-- One row per facet.
select
    facet_number,
    facet,
    description,
    weight_share
from facets
order by facet_number
