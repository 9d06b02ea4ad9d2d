"""Settings of hypothesis for all tests: the same examples every time, and no clock."""

import hypothesis

hypothesis.settings.register_profile("seqnlp", derandomize=True, deadline=None, database=None, max_examples=60)
hypothesis.settings.load_profile("seqnlp")
