"""Exact Shapley values of tree ensembles: what a fitted library's trees say, read into one form, and kernels over it."""
