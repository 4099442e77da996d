{#
  The key under which two spellings of a tag are the same, in three levels, each on top of the one before:
    1 spelling  case and punctuation: 'd3-js' and 'd3.js'
    2 symbol    spelled-out symbols: 'c-sharp' and 'c#', 'googleplus' and 'google+', 'dotnet' and '.net'
    3 wording   what adds nothing: a plural, the words and, of and the, the -js of a framework that is nothing else
  The levels after these need the other tags as well and stand in int_tag_keys: words around an assessment's subject,
  aliases, versions, slips of the pen.
  A symbol that makes another subject ('c', 'c#', 'c++') is a letter at every level, never punctuation.
#}
{% macro tag_key(tag, level) -%}
  {%- if level == 1 -%}
    coalesce(nullif(regexp_replace(lower({{ tag }}), '[^\p{L}\p{N}{{ var("tag_symbols") }}]+', '', 'g'), ''), lower({{ tag }}))
  {%- elif level == 2 -%}
    coalesce(nullif(regexp_replace({{ spell_out_symbols(tag) }}, '[^\p{L}\p{N}]+', '', 'g'), ''), lower({{ tag }}))
  {%- elif level == 3 -%}
    regexp_replace(
      {{ singular(
        "coalesce(nullif(regexp_replace(" ~ spell_out_symbols(tag)
        ~ ", '\\b(and|of|the)\\b|[^\\p{L}\\p{N}]+', '', 'g'), ''), lower(" ~ tag ~ "))"
      ) }},
      '^({{ js_frameworks() | join('|') }})js$', '\1'
    )
  {%- endif -%}
{%- endmacro %}

{# The words of a tag, in the singular and with symbols spelled out, joined by hyphens: for comparing word by word. #}
{% macro tag_phrase(tag) -%}
  trim(regexp_replace(
    regexp_replace(
      regexp_replace({{ spell_out_symbols(tag) }}, '[^\p{L}\p{N}]+', '-', 'g'),
      '([a-z]{3}[b-hk-rtv-z]|\b[ak]pi)s\b', '\1', 'g'
    ),
    '-(js|sharp|plus-plus)\b', '\1', 'g'
  ), '-')
{%- endmacro %}

{# The symbols of a tag spelled out, in lower case. #}
{% macro spell_out_symbols(tag) -%}
  replace(replace(regexp_replace(lower({{ tag }}), '(dot|[.])(net|js)\b', '\2', 'g'), '#', 'sharp'), '+', 'plus')
{%- endmacro %}

{#
  A key without the plural of its last word. Names that only look like plurals keep their s: those in -as, -js, -ss and
  -us, those of up to four letters (ios, adfs, ssrs) but for a few common ones, and the ones listed.
#}
{% macro singular(key) -%}
  case
    when regexp_matches({{ key }}, '(windows|rails|sails|news|jenkins)$') then {{ key }}
    else regexp_replace(regexp_replace(regexp_replace({{ key }},
      '([a-z]{2})ies$', '\1y'),
      '(ss|x|sh|tch)es$', '\1'),
      '([a-z]{3}[b-ik-rtv-z]|api|app|bot|cdn|gui|ide|kpi|orm|pdf|sdk|url|vpn)s$', '\1')
  end
{%- endmacro %}

{# Frameworks that people write with and without -js. Not here: names with a meaning of their own (math, async, d). #}
{% macro js_frameworks() %}
  {{ return(['aurelia', 'backbone', 'd3', 'durandal', 'ember', 'express', 'grunt', 'gulp', 'handlebars', 'hapi',
    'knockout', 'koa', 'marionette', 'meteor', 'next', 'node', 'nuxt', 'phantom', 'polymer', 'react', 'redux', 'require',
    'three', 'underscore', 'vue']) }}
{% endmacro %}

{# An assessment's tag without the words that only say that it is a test for people who use or learn something. #}
{% macro unwrapped_tag(tag) -%}
  {%- set bare = "replace(lower(" ~ tag ~ "), '-in-' || split_part(lower(" ~ tag ~ "), '-', 1), '')" -%}
  regexp_replace(regexp_replace({{ bare }},
    '[-_ ](core[-_ ]skills|fundamentals|essentials|basics|for[-_ ]beginners|creative[-_ ]professionals)$', ''),
    '(^using[-_ ]|\b(getting[-_ ]started|introduction)[-_ ](in|with|to)[-_ ])', '')
{%- endmacro %}

{# Elsewhere a tag is a subject as it stands: only the word that can be none is taken away. #}
{% macro without_using(tag) -%}
  regexp_replace({{ tag }}, '^using[-_ ]', '', 'i')
{%- endmacro %}

{#
  The same without what a test of a product is often called after its name. 'windows-server-management' is windows-server,
  but 'project-management' is no test of project: one-word names are left alone with this word.
#}
{% macro product_of_test(unwrapped_tag) -%}
  regexp_replace(regexp_replace({{ unwrapped_tag }},
    '[-_ ](framework|game[-_ ]development)$', ''),
    '([-_ ].+)[-_ ]management$', '\1')
{%- endmacro %}

{#
  What is left of a key without a version or an edition at its end, null where there is none: 'html5', 'powershellv3',
  'sqlserver2016', 'aftereffectscc'. Three digits are a brand (office365, fusion360), and too few letters before the
  number are no name (d3, s3, mp3). Of the web and of industry, a number makes another subject.
#}
{% macro unversioned_key(key) -%}
  {%- set bare -%}
    nullif(regexp_extract({{ key }}, '^(.*?\p{L}{3,}?)(v?[0-9]{1,2}|(19|20)[0-9]{2}|cc|cc(19|20)[0-9]{2}|cs[0-9])$', 1), '')
  {%- endset -%}
  {#- Few keys end in a number: the others need not be taken apart. #}
  case
    when regexp_matches({{ key }}, '([0-9]|cc)$') then nullif(nullif({{ singular(bare) }}, 'web'), 'industry')
  end
{%- endmacro %}

{# The first word of a tag. #}
{% macro first_word(tag) -%}
  regexp_extract({{ tag }}, '^[^-_ ]*')
{%- endmacro %}

{# What follows the first word of a tag. #}
{% macro without_first_word(tag) -%}
  regexp_replace({{ tag }}, '^[^-_ ]*[-_ ]*', '')
{%- endmacro %}

{#
  Words that are part of many subjects' names, or that mean one thing alone and another inside a name (fusion, a program,
  and cold-fusion, a language). That a longer tag contains one of them is a hint, not a rule: tag_links then asks for users
  who have both as well.
#}
{% macro common_words() %}
  {{ return([
    'access', 'administration', 'analysis', 'animate', 'app', 'application', 'architecture', 'automation', 'build',
    'c', 'client', 'code', 'collection', 'com', 'communication', 'component', 'computer', 'core', 'craft', 'd',
    'data', 'deployment', 'design', 'developer', 'development', 'documentation', 'dojo', 'drawing', 'edge',
    'editing', 'engineering', 'express', 'fake', 'flash', 'flow', 'form', 'foundation', 'fragment', 'framework',
    'fusion', 'game', 'go', 'illustration', 'infrastructure', 'integration', 'intent', 'interface', 'inventor',
    'layout', 'lean', 'lens', 'less', 'licensing', 'lightning', 'logging', 'mac', 'management', 'math',
    'mechanical', 'messaging', 'microsoft', 'migration', 'mobile', 'model', 'modeling', 'monitoring', 'operator',
    'parse', 'pattern', 'pipeline', 'platform', 'play', 'practice', 'process', 'productivity', 'programming',
    'project', 'r', 'rendering', 'rhino', 'role', 'scratch', 'script', 'scripting', 'search', 'server', 'service',
    'silo', 'sketch', 'skill', 'smoke', 'software', 'sound', 'spark', 'studio', 'system', 'task', 'test',
    'testing', 'text', 'time', 'tool', 'tracing', 'transaction', 'travel', 'trigger', 'troubleshooting', 'ui', 'view',
    'visual-studio', 'visualization', 'web', 'word', 'workflow'
  ]) }}
{% endmacro %}

{#
  Pointwise mutual information of two things that so many of all have, normalised to 1 for things that only come together
  (Bouma 2009); 0 where they come together no more often than by chance.
#}
{% macro mutual_information(having_both, having_one, having_other, all) -%}
  case
    when {{ having_both }} = {{ all }} then 1.0
    else greatest(
      0.0,
      ln({{ having_both }} * {{ all }} / ({{ having_one }} * {{ having_other }})) / -ln({{ having_both }} / {{ all }})
    )
  end
{%- endmacro %}
