"""Tables, plots and pages from results. Only `report.plots` loads matplotlib, and only `report.pages` loads jinja2."""
