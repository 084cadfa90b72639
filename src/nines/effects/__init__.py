"""The interprocedural effect analysis: from a program's facts to endpoints, predicted traces and tables."""

from nines.effects.analyse import analyse

__all__ = ["analyse"]
