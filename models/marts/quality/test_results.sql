-- What became of the tests in the build that made this version; it waits for every table, and thus for every test.
-- Grain: one row per test.

{% set tests = described_tests() if execute else [] -%}

-- depends_on: {{ ref('build_info') }}
-- depends_on: {{ ref('cluster_search') }}
-- depends_on: {{ ref('clusters') }}
-- depends_on: {{ ref('course_relations') }}
-- depends_on: {{ ref('course_views') }}
-- depends_on: {{ ref('courses') }}
-- depends_on: {{ ref('facets') }}
-- depends_on: {{ ref('features') }}
-- depends_on: {{ ref('input_files') }}
-- depends_on: {{ ref('neighbour_quality') }}
-- depends_on: {{ ref('similar_user_reasons') }}
-- depends_on: {{ ref('tag_links') }}
-- depends_on: {{ ref('tags') }}
-- depends_on: {{ ref('user_assessments') }}
-- depends_on: {{ ref('user_courses') }}
-- depends_on: {{ ref('user_map') }}
-- depends_on: {{ ref('users') }}
with

test_log as (

    select
        test_name,
        status,
        failures,
        tested_at
    from {{ test_log() }}

),

tests as (
    {% for test in tests -%}
    select
        {{ text_literal(test.test_name) }} as test_name,
        {{ text_literal(test.table_name) }} as table_name,
        {{ text_literal(test.column_name) }} as column_name,
        {{ text_literal(test.description) }} as description
    {% if not loop.last %}
    union all

    {% endif %}
    {%- else %}
    select
        cast(null as varchar) as test_name,
        cast(null as varchar) as table_name,
        cast(null as varchar) as column_name,
        cast(null as varchar) as description
    where false
    {%- endfor %}

)

select
    tests.test_name,
    tests.table_name,
    tests.column_name,
    tests.description,
    coalesce(test_log.status, 'not run') as status,
    test_log.failures,
    test_log.tested_at
from tests
left join test_log on tests.test_name = test_log.test_name
order by tests.test_name
