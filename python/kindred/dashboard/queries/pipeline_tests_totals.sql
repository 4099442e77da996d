-- The number of data tests, and their results in the last build.
-- A single row.
-- tests: The number of all tests.
-- passed: The number of tests that found nothing wrong.
-- not_passed: The number of tests that failed or warned.
-- not_run: The number of tests that the build did not run.
select
    count(*) as tests,
    count(*) filter (where status = 'pass') as passed,
    count(*) filter (where status in ('fail', 'warn')) as not_passed,
    count(*) filter (where status = 'not run') as not_run
from test_results
