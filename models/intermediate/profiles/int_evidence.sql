-- Everything that users did, by facet and course: profiles are made of it.
-- Grain: one row per user, facet, feature and course; the course is null if the evidence is not the view of a course.

{% for facet in evidence_facets() -%}
select
    {{ facet.facet_number }} as facet_number,
    '{{ facet.facet }}' as facet,
    user_number,
    course_id,
    feature,
    occurrences
from {{ ref('facet_' ~ facet.facet) }}
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
