"""Tests of networks, in the environment that `make test-deep` makes."""
