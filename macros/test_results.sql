{#
  What becomes of the tests of a build, so that a published version can say what it was held to. Each run starts a log
  anew, each test writes its line, and the model test_results, which waits for all of them, reads it.
#}

{# Where the log is: in the database of the build, beside the intermediate tables. #}
{% macro test_log() -%}
  {{ target.schema }}_tests.log
{%- endmacro %}

{# Before the build: a log without a line. #}
{% macro start_test_log() %}
  create schema if not exists {{ test_log().split('.')[0] }};
  create or replace table {{ test_log() }} (
      test_name varchar,
      status varchar,
      failures bigint,
      tested_at timestamp
  )
{% endmacro %}

{# A test as dbt runs it, and its line in the log. #}
{% materialization test, adapter='duckdb' %}
  {%- set finished = dbt.materialization_test_default() -%}
  {%- set failures, should_warn, should_error = load_result('main')['data'][0] -%}
  {%- set is_failed = should_error and config.get('severity', 'error') | lower == 'error' -%}
  {%- set status = 'fail' if is_failed else 'warn' if should_warn or should_error else 'pass' -%}
  {% do run_query(
    "insert into " ~ test_log() ~ " values ('" ~ model.name ~ "', '" ~ status ~ "', " ~ failures ~ ", '"
    ~ modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S') ~ "')"
  ) %}
  {{ adapter.commit() }}
  {{ return(finished) }}
{% endmaterialization %}

{# The tests of the project, for Jinja: test_name, table_name, column_name and description of each, in order. #}
{% macro described_tests() %}
  {%- set tests = [] -%}
  {%- for node in graph.nodes.values() | sort(attribute='name') if node.resource_type == 'test' -%}
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

{# What a generic test asserts, by its arguments; nothing for a singular one, which says so in its own description. #}
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

{# A text of YAML with the values of its vars and the names of its tables. #}
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
