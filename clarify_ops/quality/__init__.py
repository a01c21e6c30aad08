"""How good predictions are, for everybody and for each facet value, and what is wrong with the data."""
