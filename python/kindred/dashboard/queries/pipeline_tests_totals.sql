-- How many tests of the data there are, and how they ended in the last build.
-- A single row.
-- tests: All tests.
-- passed: Tests that found nothing wrong.
-- not_passed: Tests that failed or warned.
-- not_run: Tests that the build did not run.
select
    count(*) as tests,
    count(*) filter (where status = 'pass') as passed,
    count(*) filter (where status in ('fail', 'warn')) as not_passed,
    count(*) filter (where status = 'not run') as not_run
from test_results
