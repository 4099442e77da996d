-- Views of lessons, with seconds instead of minutes.
-- Grain: one row per view.

select
    member,
    lesson,
    teacher,
    difficulty,
    watched_on,
    60 * watched_minutes as watched_seconds
from {{ ref('lesson_views') }}
