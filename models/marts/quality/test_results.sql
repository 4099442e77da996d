-- What became of the tests in the build that made this version; it waits for every table, and thus for every test.
-- Grain: one row per test.

{% set tests = described_tests() if execute else [] -%}

{% for mart in published_marts() if mart != this.name -%}
-- depends_on: {{ ref(mart) }}
{% endfor -%}
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
