"""What people say of the fills: `infill rate` asks, and the report prints what it comes to.

fills (what a run made) → ballots (what is asked) → page (asks) → store (keeps)
store → fit (scores with intervals) and agreement → summary (for the report)
"""
