# One word for each thing that is done to this checkout. The scripts set up their environment (pipelines/env.sh).
#
#     make test PYTEST="-k crf -x"
#     make versions PYTHONS="3.10 3.13"

.PHONY: check format test slow versions demo

# style and types
check:
	@sh tests/check.sh

# the same, after ruff has mended what it can
format:
	@sh tests/check.sh --fix

# style, types and the quick tests
test:
	@sh tests/run.sh $(PYTEST)

# the tests that train for minutes
slow:
	@sh tests/run.sh -m slow $(PYTEST)

# the quick tests with every Python that is found
versions:
	@PYTHONS="$(PYTHONS)" sh tests/versions.sh $(PYTEST)

# the main jobs on the corpora of data/, and a table of scores
demo:
	@sh pipelines/demo.sh
