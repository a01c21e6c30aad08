"""The documents of a whole analysis, put together from its parts."""
