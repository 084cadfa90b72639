"""Finds what names mean across modules: imports, re-exports, classes and what they inherit."""

from nines.effects.link.names import AssignBinding, ClassInfo, FunctionInfo, ImportBinding, ModuleInfo
from nines.effects.link.program import Linked

__all__ = ["AssignBinding", "ClassInfo", "FunctionInfo", "ImportBinding", "Linked", "ModuleInfo"]
