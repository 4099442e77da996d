# The last step of a build: it publishes the marts as one new file in place of the old one. It runs only when every mart
# is built and every test has passed, since test_results waits for them all. Grain: a single row.


def model(dbt, session):
    from kindred.warehouse.publication import publish

    dbt.ref("test_results")
    version = dbt.ref("build_info").fetchnumpy()["version"]
    variables = session.sql(
        "select getvariable('is_empty_run'), getvariable('published_marts'), getvariable('marts_schema')"
    )
    is_empty_run, marts, schema = variables.fetchall()[0]
    if is_empty_run:
        # dbt build --empty is a dry run: it makes every table without rows, and readers must not get those.
        return session.sql(
            "select ''::varchar as version, ''::varchar as file, now()::timestamp as published_at limit 0"
        )
    # A connection of its own: dbt's is inside a transaction, and one transaction can write to one file only.
    file = publish(session.cursor(), dbt.config.get("warehouse"), marts, version[0], schema)
    return session.sql(
        "select ?::varchar as version, ?::varchar as file, now()::timestamp as published_at",
        params=[version[0], file.name],
    )
