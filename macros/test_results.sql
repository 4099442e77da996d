{#
  The results of the tests of a build, so that a published version can say which tests it passed. Each run starts a new
  log, each test writes a line, and the model test_results, which waits for all tests, reads it.
#}

{# The name of the log, a table in the database of the build. #}
{% macro test_log() -%}
  {{ target.schema }}{{ '_kindred' if is_package() }}_tests.log
{%- endmacro %}

{# The statements that start an empty log before the build. #}
{% macro start_test_log() %}
  create schema if not exists {{ test_log().split('.')[0] }};
  create or replace table {{ test_log() }} (
      test_name varchar,
      status varchar,
      failures bigint,
      should_warn boolean,
      should_error boolean,
      tested_at timestamp
  )
{% endmacro %}

{#
  Run a test into the log, and give dbt its line. The macro has the name of a step of dbt's own materialisation of tests,
  which only Kindred's tests take, so that a project that has Kindred as a package keeps its own.
#}
{% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
  {# Outside a transaction: dbt would roll back what a test writes. #}
  {% call statement('log_test', auto_begin=false) %}
    insert into {{ test_log() }}
    select
        '{{ model.name }}' as test_name,
        case
            when should_error and {{ config.get('severity', 'error') | lower == 'error' }} then 'fail'
            when should_warn or should_error then 'warn'
            else 'pass'
        end as status,
        failures,
        should_warn,
        should_error,
        cast('{{ modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp) as tested_at
    from ({{ dbt.get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) }}) as tested
  {% endcall %}
  select
      failures,
      should_warn,
      should_error
  from {{ test_log() }}
  where test_name = '{{ model.name }}'
{% endmacro %}

{# Kindred's tests, for Jinja: test_name, table_name, column_name and description of each, in order. #}
{% macro described_tests() %}
  {%- set tests = [] -%}
  {%- for node in graph.nodes.values() | sort(attribute='name')
    if node.resource_type == 'test' and node.package_name == model.package_name -%}
    {%- set tested = node.attached_node or '' -%}
    {%- if tested != model.unique_id -%}
      {%- do tests.append({
        'test_name': node.name,
        'table_name': tested.split('.')[2] if tested else none,
        'column_name': node.column_name or none,
        'description': node.description | trim or test_in_words(node),
      }) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(tests) }}
{% endmacro %}

{# What a generic test asserts, in words, from its arguments; none for a singular test, which has its own description. #}
{% macro test_in_words(node) %}
  {%- set metadata = node.test_metadata -%}
  {%- if not metadata -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set arguments = metadata.kwargs -%}
  {%- if metadata.name == 'grain_and_range' -%}
    {%- set words = ['One row per ' ~ arguments.grain | join(', ')] + arguments.get('conditions', []) | list -%}
    {{ return(without_jinja(words | join('; '))) }}
  {%- elif metadata.name == 'relationships' -%}
    {{ return('Every ' ~ arguments.column_name ~ ' is a ' ~ arguments.field ~ ' of ' ~ arguments.to
      | replace("ref('", '') | replace("')", '')) }}
  {%- elif metadata.name == 'accepted_values' -%}
    {{ return('Every ' ~ arguments.column_name ~ ' is one of ' ~ arguments['values'] | join(', ')) }}
  {%- elif metadata.name == 'unique' -%}
    {{ return('No two rows have the same ' ~ arguments.column_name) }}
  {%- endif -%}
  {{ return(metadata.name ~ ' of ' ~ arguments.column_name) }}
{% endmacro %}

{# A text of YAML with vars replaced by their values, and refs by the names of their tables. #}
{% macro without_jinja(text) %}
  {%- set plain = namespace(text=text) -%}
  {%- for name in modules.re.findall("var\('(\w+)'\)", text) -%}
    {%- set plain.text = plain.text.replace("{{ var('" ~ name ~ "') }}", var(name) | string) -%}
  {%- endfor -%}
  {%- for name in modules.re.findall("ref\('(\w+)'\)", text) -%}
    {%- set plain.text = plain.text.replace("{{ ref('" ~ name ~ "') }}", name) -%}
  {%- endfor -%}
  {{ return(plain.text) }}
{% endmacro %}
