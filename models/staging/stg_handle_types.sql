-- Whether the handles of users and of authors are numbers or text in this build: text as soon as one handle in any file
-- is no plain whole number (macro is_plain_number), or if the var handle_type says so. Nothing is built before this.
-- Grain: a single row.

with

assessment_scores as (

    select * from {{ raw_input('user_assessment_scores') }}

),

course_views as (

    select * from {{ raw_input('user_course_views') }}

),

interests as (

    select * from {{ raw_input('user_interests') }}

),

delivered as (

    select
        user_handle,
        author_handle
    from course_views

    union all

    select
        user_handle,
        null as author_handle
    from assessment_scores

    union all

    select
        user_handle,
        null as author_handle
    from interests

),

handles as (

    select
        {{ handle_as_text('user_handle') }} as user_handle,
        {{ handle_as_text('author_handle') }} as author_handle
    from delivered

),

-- Null where there are no handles: they count as numbers.
judged as (

    select
        bool_and({{ is_plain_number('user_handle') }}) as has_plain_users,
        bool_and({{ is_plain_number('author_handle') }}) as has_plain_authors
    from handles

)

select
    case when '{{ var("handle_type") }}' = 'text' or not has_plain_users then 'text' else 'number' end
        as user_handle_type,
    case when '{{ var("handle_type") }}' = 'text' or not has_plain_authors then 'text' else 'number' end
        as author_handle_type
from judged
