"""Bias: pure functions from counts to numbers, one table of them, their intervals, and the two ways to report them."""
