"""Blueprints: YAML to the noun, with every problem told at its place."""

from nines.readers.blueprint.page import vocabulary
from nines.readers.blueprint.read import parse, problem_with, read
from nines.readers.blueprint.schema import schema

__all__ = ["parse", "problem_with", "read", "schema", "vocabulary"]
