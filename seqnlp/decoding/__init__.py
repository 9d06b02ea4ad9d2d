"""Decoding: the best sentences, or random ones, of any model that gives the probabilities of the next token.

    state         what a step function takes and gives, and where the hypotheses are in it
    constraints   what a sentence may look like, each rule a class of its own
    ranking       how finished hypotheses compare: length and coverage penalty, bounds
    hypotheses    those that have finished, back-pointers, and the way back along them
    running       those under way, step by step to the end, whoever chooses how they go on
    beam          the best ways to go on
    sampling      random ones
    ensemble      several models that search together

Shape letters: B sentences of a batch, A of them still under way, W places for hypotheses of each, N rows (hypotheses
that are alive), K chosen at a step, V vocabulary, S source steps, t tokens so far.
"""
