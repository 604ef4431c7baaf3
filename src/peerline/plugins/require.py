"""Finds a plugin and runs it once, as Node's `require` does: by name, or by a path relative to the file that asks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from peerline.errors import ConfigError

_loaded: dict[Path, ModuleType] = {}


class PluginError(ConfigError):
    """A plugin is not there, or failed while it was run for the first time."""

    code = "plugin"


def require(name: str, *, base: Path | None = None) -> ModuleType:
    """The module called `name`, run if this is the first time that anybody asks.

    A name with a slash in it, or that ends in `.py`, is a path: `./log`, `./log.py`, a folder with `__init__.py`. It
    counts from `base`, else from the folder of the file that calls. Anything else is the name of an installed module.
    Of a cycle one sees what the other has defined so far. Raises PluginError.
    """
    if not is_path(name):
        return _import(name)
    if base is None:
        base = Path(sys._getframe(1).f_code.co_filename).parent
    path = _find(name, base)
    module = _loaded.get(path)
    return module if module is not None else _run(name, path)


def is_path(name: str) -> bool:
    """Whether it names a file and not a module."""
    return "/" in name or "\\" in name or name.endswith(".py") or name in (".", "..")


def _find(name: str, base: Path) -> Path:
    start = base / Path(name).expanduser()
    tried = [start, start.with_name(start.name + ".py"), start / "__init__.py"]
    for path in tried:
        if path.is_file():
            return path.resolve()
    looked = ", ".join(str(path) for path in tried)
    raise PluginError(f"there is no plugin {name!r}", hint=f"Tried: {looked}.")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            hint = f"Is it installed for {sys.executable}? For a file of your own write ./{name}.py."
            raise PluginError(f"there is no module {name!r}", hint=hint) from error
        raise _failed(name, error) from error
    except Exception as error:
        raise _failed(name, error) from error


def _run(name: str, path: Path) -> ModuleType:
    qualified = f"peerline_plugin_{len(_loaded)}_{path.stem}"
    is_folder = path.name == "__init__.py"
    spec = importlib.util.spec_from_file_location(
        qualified, path, submodule_search_locations=[str(path.parent)] if is_folder else None
    )
    if spec is None or spec.loader is None:
        raise PluginError(f"the plugin {name!r} is no Python file", hint=f"It is {path}.")
    module = importlib.util.module_from_spec(spec)
    # Before it runs: who asks in the middle of a cycle gets what is there.
    _loaded[path] = sys.modules[qualified] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del _loaded[path], sys.modules[qualified]
        if isinstance(error, PluginError) or not isinstance(error, Exception):
            raise
        raise _failed(name, error) from error
    return module


def _failed(name: str, error: Exception) -> PluginError:
    where = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith("<frozen") and code.co_filename != __file__:
            where = f" ({code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return PluginError(f"the plugin {name!r} failed with {type(error).__name__}: {error}{where}")
