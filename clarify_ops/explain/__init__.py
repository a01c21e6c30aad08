"""Why a model says what it says: one game, its explainers, and the baseline rows that they compare with.

`methods` is the table of explainers, a file each; `choosing.explain` takes the one that a model calls for. Everything
here works on a function from a DataFrame of feature rows to outputs, and on the fitted object behind it where that can
be seen. It knows no pipeline documents and no registry.
"""
