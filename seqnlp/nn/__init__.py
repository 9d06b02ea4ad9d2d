"""The networks' parts; torch only, no strings. Shape letters, here and in every comment:

B batch, S source steps, T target steps, N rows of any kind (hypotheses, flattened steps), D features, H hidden units,
F features of an output, V vocabulary, C classes, K hypotheses of a sentence, U distinct words, L characters of a word,
A units of additive attention. A sequence of steps comes batch first: (B, S, D).
"""
