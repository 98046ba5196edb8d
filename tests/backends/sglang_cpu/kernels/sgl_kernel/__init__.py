"""Stands in for SGLang's kernels, which no package brings for a CPU: every name is there, and raises when it is called.

SGLang imports hundreds of them and calls none of them where attention and sampling are torch's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

__version__ = "0.4.10"


class Missing:
    """A kernel, or a part of one."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Missing:
        return named(self.__name__)(name)

    def __call__(self, *arguments: object, **named_arguments: object) -> NoReturn:
        raise RuntimeError(f"{self.__name__} is not here")

    def __hash__(self) -> int:
        return hash(self.__name__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing) and other.__name__ == self.__name__


def named(parent: str) -> Callable[[str], Missing]:
    """Return what gives the parts of ``parent``."""

    def get(name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{parent}.{name}")

    return get


class Submodules(MetaPathFinder, Loader):
    """Finds any module below this one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the place of a module below this one."""
        return ModuleSpec(fullname, self, is_package=True) if fullname.startswith(f"{__name__}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that has every name."""
        module = ModuleType(spec.name)
        module.__getattr__ = named(spec.name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is nothing to run."""


__getattr__ = named(__name__)
sys.meta_path.append(Submodules())
