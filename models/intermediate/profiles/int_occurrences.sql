-- What every user did, facet by facet, before it is weighted.
-- Grain: one row per user, facet and feature.

{% for facet in evidence_facets() -%}
select
    {{ facet.facet_number }} as facet_number,
    '{{ facet.facet }}' as facet,
    user_handle,
    feature,
    occurrences
from {{ ref('facet_' ~ facet.facet) }}
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
