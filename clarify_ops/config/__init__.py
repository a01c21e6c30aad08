"""The documents a user writes, as frozen closed models: analysis configuration, pipeline, policy."""
