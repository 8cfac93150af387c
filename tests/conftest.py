"""Settings of the whole suite."""

import os

from hypothesis import settings

# A shared machine may stall for seconds at any example; what a test must reach in speed is
# measured in benchmarks/, not here.
settings.register_profile("infill", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "infill"))
