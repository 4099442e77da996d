-- What every user did, facet by facet and course by course: all that profiles are made of.
-- Grain: one row per user, facet, feature and course; the course is null where the evidence is no view of one.

{% for facet in evidence_facets() -%}
select
    {{ facet.facet_number }} as facet_number,
    '{{ facet.facet }}' as facet,
    user_handle,
    course_id,
    feature,
    occurrences
from {{ ref('facet_' ~ facet.facet) }}
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
