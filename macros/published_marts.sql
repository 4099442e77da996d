{# The marts that a build publishes. A mart that is not in this list stays in the database of the build. #}
{% macro published_marts() %}
  {{ return([
    'build_info',
    'cluster_search',
    'clusters',
    'course_relations',
    'course_views',
    'courses',
    'facets',
    'features',
    'input_files',
    'neighbour_quality',
    'rejected_rows',
    'score_bands',
    'similar_user_reasons',
    'similar_users',
    'tag_links',
    'tag_map',
    'tags',
    'test_results',
    'user_assessments',
    'user_clusters',
    'user_courses',
    'user_features',
    'user_map',
    'users'
  ]) }}
{% endmacro %}
