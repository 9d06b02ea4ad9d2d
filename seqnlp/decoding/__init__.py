"""Decoding: the best sentences, or random ones, of a model that gives the probabilities of the next token.

A model is a `Step`: from the last tokens (N, 1) and a state to scores (N, V) and the next state. Scores are
log-probabilities, normalised or not. A state is a dict of tensors: under "source..." one row a sentence, (A, ...),
under all other names one row a hypothesis, (N, ...). The search knows five names: "attention" (N, S), the weights of a
step, is kept where asked for; "coverage" (N, S), their sum so far, and "source.mask" (A, S) make the coverage penalty;
"source.rows" and "place" it sets itself, for they say which hypothesis is whose (`LAYOUT`).

A sentence has W places for hypotheses, and only those that are alive are rows (`ROUND` adds some that nobody reads).
Sentences leave the batch when they are done, so A, the sentences under way, falls from the B of the whole batch to 0.
Hypotheses are kept as back-pointers, one small tensor a step, and read out at the end.
"""
