"""Registries: where a model goes that the gate lets through. The only writer is the register step."""
