"""A folder is a registry: each file in it holds one plug-in, named after the file."""

import importlib
import pkgutil
from typing import TypeVar

from truing.errors import Refused

T = TypeVar("T")


def plugins_in(package: str, base: type[T]) -> dict[str, T]:
    """Import every file of `package` and make the one `base` subclass each defines."""
    plugins: dict[str, T] = {}
    for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
        # What a plug-in imports only when it works: it may bring libraries as large as torch.
        if file.name.endswith("_trainer"):
            continue
        module = importlib.import_module(f"{package}.{file.name}")
        found = [
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, base)
            and item is not base
            and item.__module__ == module.__name__
        ]
        # A file without one is what the plug-ins of the folder share.
        if found:
            [plugin] = found
            plugins[file.name] = plugin()
    return plugins


class UnknownPlugin(Refused):
    """There is no plug-in of that name."""

    status = 422


def plugin_named(plugins: dict[str, T], name: str, kind: str) -> T:
    """The plug-in of that name. Raises UnknownPlugin with the names that there are."""
    try:
        return plugins[name]
    except KeyError:
        names = ", ".join(sorted(plugins))
        raise UnknownPlugin(f"There is no {kind} “{name}”. There are: {names}.") from None
