-- Courses that similar users viewed and this user has not. A course ranks higher if more of them, or more similar ones,
-- viewed it.
-- One row per course, at most 30.
-- viewers: The number of similar users who viewed the course.
-- summed_similarity: The sum of their similarities, by which the courses are sorted.
-- viewed_by: The handles of these users, the most similar first.
select
    courses.course_id,
    courses.course_tags,
    courses.level,
    count(*) as viewers,
    sum(similar_users.similarity) as summed_similarity,
    list(similar_users.similar_user_handle order by similar_users.rank) as viewed_by
from similar_users
inner join user_courses on similar_users.similar_user_handle = user_courses.user_handle
inner join courses on user_courses.course_id = courses.course_id
where
    similar_users.user_handle = $user_handle
    and user_courses.course_id not in (
        select own_courses.course_id
        from user_courses as own_courses
        where own_courses.user_handle = $user_handle
    )
group by courses.course_id, courses.course_tags, courses.level
order by summed_similarity desc, courses.course_id asc
limit 30
