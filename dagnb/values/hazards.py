"""What a digest of code cannot see: code made at run time, chance, the clock, the environment."""

from __future__ import annotations

import inspect
import os
import random
from collections.abc import Collection
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from dagnb.values.bytecode import Load
from dagnb.values.names import Found
from dagnb.values.plain import PLAIN

_OPAQUE = frozenset(("eval", "exec", "globals", "locals", "vars", "__import__"))
_CHANCE = ("random.", "secrets.", "uuid.uuid1", "uuid.uuid4", "os.urandom", "numpy.random.")
_STAMPS = ("pandas.Timestamp", "pandas._libs.tslibs.timestamps.Timestamp", "pandas.Period")
_CLOCK: tuple[str, ...] = (
    *("time.time", "time.monotonic", "time.perf_counter", "time.process_time", "time.thread_time"),
    *("time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.clock_gettime"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    *("datetime.date.today", "time.strftime"),
    *(f"{each}.{now}" for each in _STAMPS for now in ("now", "utcnow", "today")),
)
_ENVIRONMENT = ("os.environ", "os.getenv")
_HIDING: tuple[str, ...] = (
    *("importlib.import_module", "sys.modules", "pkgutil.resolve_name"),
    *("sys._getframe", "inspect.currentframe", "inspect.stack"),
    *(f"builtins.{name}" for name in sorted(_OPAQUE)),
)
_NAMESPACES = frozenset(("__globals__", "f_globals", "f_locals", "user_ns", "user_global_ns"))
# State of the process that code elsewhere may set.
_SETTINGS: tuple[str, ...] = (
    *("os.getcwd", "pathlib.Path.cwd", "sys.argv", "sys.path", "sys.flags", "warnings.filters"),
    *("locale.", "_locale.", "decimal.getcontext", "_decimal.getcontext", "platform.node"),
    *("socket.gethostname", "_socket.gethostname", "getpass.getuser", "posix.getcwd", "nt.getcwd"),
    *("sys.getrecursionlimit", "sys.get_int_max_str_digits"),
    *("numpy.geterr", "numpy.get_printoptions", "matplotlib.rcParams"),
    *("matplotlib.pyplot.rcParams", "pandas.get_option", "pandas.options"),
    *("pandas._config.config.get_option", "pandas._config.config.options"),
    *("sklearn.get_config", "sklearn._config.get_config", "polars.Config.state"),
    *("time.tzname", "time.timezone", "time.altzone", "time.daylight"),
    *("pathlib.Path.home", "os.path.expanduser", "posixpath.expanduser", "ntpath.expanduser"),
)
# With a seed these give the same numbers each time.
_SEEDED = frozenset(("default_rng", "RandomState", "Random", "SeedSequence", "Generator", "seed"))
_SEEDED |= {"PCG64", "MT19937", "Philox", "SFC64"}

_STATE = "random_state"
# Other estimators take a random state, but need it in few of their settings only.
_DRAWING: tuple[str, ...] = (
    "KMeans",
    "MiniBatch",
    "RandomForest",
    "ExtraTrees",
    "Isolation",
    "MLP",
    "TSNE",
)
_DRAWING += ("Shuffle", "StratifiedShuffle", "GroupShuffle", "Bagging", "SGD", "GaussianMixture")


def hazard(load: Load, found: Found, keywords: Collection[str] = ()) -> str | None:
    """Say why the value that a name stands for may differ between runs, if it may.

    What libraries call a random state is passed if the code has a keyword of that name anywhere.
    """
    if type(found.value) in PLAIN:
        return None
    name = ".".join((load.name, *load.attributes))
    if load.name in _OPAQUE and type(found.value) is BuiltinFunctionType:
        return f"{name}() hides what it reads; declare it with depends="
    if found.value is os.environ or found.value is os.getenv:
        return f"{name} reads the environment; declare it with env="
    if _is_generator(found.value):
        return f"{name} is a random generator, and each use of it changes its state"
    if _STATE not in keywords and _may_draw(target(found)):
        return f"{name} depends on chance; pass it {_STATE}="
    return path_hazard(real_path(found), name, bare=load.called_bare)


def namespace_hazards(names: Collection[str]) -> list[str]:
    """Say which attributes that code reads hold variables by their names."""
    hidden = sorted(_NAMESPACES.intersection(names))
    return [f".{name} hides what is read from it; declare it with depends=" for name in hidden]


def target(found: Found) -> object:
    """Follow what is left of a dotted name through the modules of a library."""
    value = found.value
    for name in found.rest:
        if not isinstance(value, ModuleType):
            return None
        value = vars(value).get(name)
    return value


def _may_draw(value: object) -> bool:
    """Whether a function or class of scikit-learn or SciPy takes a random state, and needs none."""
    if isinstance(value, type):
        value = vars(value).get("__init__") if value.__name__.startswith(_DRAWING) else None
    home = str(_attribute(value, "__module__"))
    if not isinstance(value, FunctionType) or not home.startswith(("sklearn.", "scipy.")):
        return False
    inner = inspect.unwrap(value)
    code, defaults = inner.__code__, inner.__kwdefaults__ or {}
    return _STATE in code.co_varnames[: code.co_argcount] or defaults.get(_STATE, "") is None


def path_hazard(path: str, name: str, *, bare: bool = True) -> str | None:
    """Say why the object at a path of a library may give another value in another run."""
    if path.startswith(_CHANCE):
        seeded = path.rpartition(".")[2] in _SEEDED and not bare
        return None if seeded else f"{name} depends on chance; pass a seed or a generator in"
    if path.startswith(_CLOCK):
        return f"{name} depends on the time; pass the time in"
    if path.startswith(_ENVIRONMENT):
        return f"{name} reads the environment; declare it with env="
    if path.startswith(_HIDING):
        return f"{name} hides what it reads; declare it with depends="
    if path.startswith(_SETTINGS):
        return f"{name} reads a setting of the process; pass it in, or declare it with depends="
    return None


def real_path(found: Found) -> str:
    """The dotted path of an object in the library that defines it, whatever its local name."""
    value = found.value
    if isinstance(value, ModuleType):
        return ".".join((value.__name__, *found.rest))
    module, name = origin(value)
    return ".".join((module, name, *found.rest))


def origin(value: object) -> tuple[str, str]:
    """The module and name of a function, class or method."""
    owner = _attribute(value, "__self__")
    if isinstance(value, MethodType | BuiltinFunctionType) and not isinstance(owner, ModuleType):
        kind = owner if isinstance(owner, type) else type(owner)
        return kind.__module__, f"{kind.__qualname__}.{value.__name__}"
    return str(_attribute(value, "__module__")), str(_attribute(value, "__qualname__") or "")


def _attribute(value: object, name: str) -> object:
    """Return an attribute; None if there is none, or the user's class raises when it is asked."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def _is_generator(value: object) -> bool:
    """Whether a value draws random numbers from a state of its own."""
    kind = type(value)
    named = kind.__module__.startswith("numpy.random.") and hasattr(kind, "random")
    return isinstance(value, random.Random) or (named and not isinstance(value, type))
