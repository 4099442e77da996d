"""A page of the dashboard, run without a browser."""

from streamlit.testing.v1 import AppTest


def page_of(name, warehouse, monkeypatch, **parameters):
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(warehouse))
    script = (
        f"from kindred.dashboard.pages import {name}\n"
        "from kindred.dashboard.published import open_published\n"
        f"{name}.show(open_published())\n"
    )
    app = AppTest.from_string(script, default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = str(value)
    return app.run()
