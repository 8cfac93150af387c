"""The benchmark: many engines on the same samples, measured by six criteria.

    plan (which fills) → run (a row for each) → summary (figures with intervals) → report

`plan` and `cases` say what is filled, `job` makes and measures one fill, `run` keeps the rows,
`summarise` turns rows into a `summary`, and `report` writes it down for people and machines.
"""
