"""The interprocedural effect analysis: from a program's facts to endpoints, predicted traces and tables."""

from nines.effects.analyse import Memo, analyse

__all__ = ["Memo", "analyse"]
