"""The networks' parts; torch only, no strings. Shape letters, here and in every comment:

B batch, S source steps, T target steps, W words, H hidden, V vocabulary, C classes, K beam, D features,
U distinct words, A units of additive attention.
"""
