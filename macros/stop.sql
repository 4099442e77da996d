{# Stop the build with one sentence that says what is wrong, where, and what was expected. #}
{% macro stop(sentence) %}
  {{ exceptions.raise_compiler_error(sentence) }}
{% endmacro %}
