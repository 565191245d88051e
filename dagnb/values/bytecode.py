"""What a code object computes, without how it was written down.

Line numbers, file, docstrings, the positions of constants and of instructions say nothing about
the result; what is left is what is done, with its arguments resolved, and what may come next.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from types import CodeType
from weakref import WeakKeyDictionary

from dagnb.values.expand import expand
from dagnb.values.flow import JUMPS, Handler, flow
from dagnb.values.plain import PLAIN, scalar
from dagnb.values.queries import METHODS, names_in
from dagnb.values.walk import Walk, combine

# arguments, keyword arguments, generator, coroutine, iterable coroutine, async generator
_MEANINGFUL_FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
_OPTIMIZED = 0x01
_CONSTANTS = frozenset(dis.hasconst)
_GLOBAL_LOADS = frozenset(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"))
_LOCAL_LOADS = frozenset(("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"))
_SHARED_LOADS = frozenset(("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"))
_GLOBAL_STORES = frozenset(("STORE_GLOBAL", "DELETE_GLOBAL"))
_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD"))
_PAIRED = re.compile(r"(LOAD_FAST|STORE_FAST)(?:_BORROW)?_(LOAD_FAST|STORE_FAST)(?:_BORROW)?")
_PAIRS = {name: pair.groups() for name in dis.opmap if (pair := _PAIRED.fullmatch(name))}
_TWOFOLD = frozenset((*_PAIRS, "RETURN_CONST"))
_RETURN = dis.opmap["RETURN_VALUE"]
_STORES = frozenset(("SWAP", "STORE_FAST", "POP_TOP"))
_SILENT = frozenset(("NOP", "EXTENDED_ARG", "CACHE", "NOT_TAKEN"))
_BETWEEN = frozenset(("PUSH_NULL", "PRECALL"))
_BOOKKEEPING = frozenset(
    ("__doc__", "__qualname__", "__firstlineno__", "__static_attributes__", "__module__")
)


@dataclass(frozen=True, slots=True)
class Load:
    """A global name that code reads, with the attributes that follow at once.

    ``np.random.rand(3)`` is ``Load("np", ("random", "rand"))``; ``called_bare`` says that it
    is called without arguments.
    """

    name: str
    attributes: tuple[str, ...] = ()
    called_bare: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """An import statement inside code; ``names`` are what the code takes from the module.

    They are dotted where a module is imported whole; an empty one says that it is used whole.
    """

    module: str
    level: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Normal:
    """A code object in its normal form.

    Attributes
    ----------
    digest : bytes
        Names the instructions of the code and of all code nested in it.
    loads : tuple of Load
        Global names read by it or by nested code, in the order of their first use.
    imports : tuple of Import
    stores : frozenset of str
        Global names that it assigns.
    keywords : frozenset of str
        The names of keyword arguments in its calls, among others.
    names : frozenset of str
        The globals and attributes that occur in it.
    """

    digest: bytes
    loads: tuple[Load, ...]
    imports: tuple[Import, ...]
    stores: frozenset[str]
    keywords: frozenset[str]
    names: frozenset[str]


_NORMAL: WeakKeyDictionary[CodeType, Normal] = WeakKeyDictionary()


def normal_form(code: CodeType) -> Normal:
    """Return the normal form of ``code``; taken once per code object."""
    found = _NORMAL.get(code)
    if found is None:
        found = _NORMAL[code] = _normalise(code)
    return found


def _normalise(code: CodeType) -> Normal:
    instructions = list(_meaningful(code))
    nested = [normal_form(each) for each in code.co_consts if isinstance(each, CodeType)]
    loads = [*_loads(code, instructions), *(load for each in nested for load in each.loads)]
    is_importing = any(each.opname == "IMPORT_NAME" for each in instructions)
    imports = [
        *(_imports(code) if is_importing else ()),
        *(each for inner in nested for each in inner.imports),
    ]
    stores = {each.argval for each in instructions if each.opname in _GLOBAL_STORES}
    words = (each for each in code.co_consts if isinstance(each, tuple))
    keywords = {each for each in chain.from_iterable(words) if isinstance(each, str)}
    arguments = [_argument(each, code.co_consts) for each in instructions]
    steps = flow(instructions, arguments, [*_handlers(code.co_exceptiontable)])
    return Normal(
        combine("code", [*_signature(code), *steps]),
        tuple(dict.fromkeys(loads)),
        tuple(dict.fromkeys(imports)),
        frozenset(stores.union(*(each.stores for each in nested))),
        frozenset(keywords.union(*(each.keywords for each in nested))),
        frozenset(code.co_names).union(*(each.names for each in nested)),
    )


def _signature(code: CodeType) -> list[bytes]:
    """How the code is called: counts and kinds of its arguments, and what it closes over."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    width = sum(counts[::2]) + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    names = (*code.co_varnames[:width], "", *code.co_freevars)
    return [repr((*counts, code.co_flags & _MEANINGFUL_FLAGS, names)).encode()]


def _meaningful(code: CodeType) -> Iterator[dis.Instruction]:
    """The instructions without padding and without a class body's bookkeeping."""
    instructions = _in_one_go([*_single(code)])
    if code.co_flags & _OPTIMIZED:
        yield from instructions
        return
    skip = False
    for this, following in zip(instructions, [*instructions[1:], None], strict=True):
        if skip:
            skip = False
        elif _is_bookkeeping(this, following):
            skip = True
        else:
            yield this


def _single(code: CodeType) -> Iterator[dis.Instruction]:
    """The instructions one by one, without padding."""
    for each in dis.get_instructions(code):
        if each.opname in _TWOFOLD:
            yield from _unpaired(each)
        elif each.opname not in _SILENT:
            yield each


def _unpaired(instruction: dis.Instruction) -> Iterator[dis.Instruction]:
    """Split an instruction that does two things at once.

    From Python 3.13 on the compiler pairs instructions only if they come from the same line.
    """
    after = instruction.offset + 1  # nothing jumps to an odd one
    if instruction.opname in _PAIRS:
        (first, second), (one, other) = _PAIRS[instruction.opname], instruction.argval
        yield instruction._replace(opname=first, argval=one, argrepr=one)
        yield instruction._replace(opname=second, argval=other, argrepr=other, offset=after)
    else:
        yield instruction._replace(opname="LOAD_CONST")
        yield instruction._replace(
            opname="RETURN_VALUE", opcode=_RETURN, arg=None, argval=None, argrepr="", offset=after
        )


def _in_one_go(instructions: list[dis.Instruction]) -> list[dis.Instruction]:
    """Take stores into several variables as one.

    The compiler saves itself a swap by storing in another order, if they are on the same line.
    """
    targets = {each.argval for each in instructions if each.opcode in JUMPS}
    found: list[dis.Instruction] = []
    run: list[dis.Instruction] = []
    for each in instructions:
        if run and (each.opname not in _STORES or each.offset in targets):
            found.append(_stored(run))
            run = []
        (run if each.opname in _STORES else found).append(each)
    return [*found, _stored(run)] if run else found


def _stored(run: Sequence[dis.Instruction]) -> dis.Instruction:
    """Say which places of the stack go into which variables, and what is left of it."""
    if len(run) == 1:
        return run[0]
    size = sum(each.arg or 1 for each in run)
    stack, variables = [*range(size, 0, -1)], {}
    for each in run:
        if each.opname == "SWAP":
            stack[-1], stack[-each.argval] = stack[-each.argval], stack[-1]
        elif each.opname == "POP_TOP":
            stack.pop()
        else:
            variables[each.argval] = stack.pop()
    place = size
    while stack and stack[0] == place:  # from the bottom: all that stays where it was
        place = stack.pop(0) - 1
    return run[0]._replace(opname="STORES", argrepr=f"{sorted(variables.items())} {stack}")


def _is_bookkeeping(this: dis.Instruction, following: dis.Instruction | None) -> bool:
    """Whether two instructions store a class's docstring, name or line number."""
    if following is None or following.opname != "STORE_NAME":
        return False
    return following.argval in _BOOKKEEPING and this.opname.startswith("LOAD_")


def _argument(instruction: dis.Instruction, constants: Sequence[object]) -> bytes:
    """Name the argument of an instruction by what it stands for."""
    if instruction.opname == "KW_NAMES" and instruction.arg is not None:
        return _constant(constants[instruction.arg])  # `dis` of Python 3.11 does not look it up
    if instruction.opcode in _CONSTANTS:
        return _constant(instruction.argval)
    return (instruction.argrepr or str(instruction.arg)).encode("utf-8", "surrogatepass")


def _constant(value: object) -> bytes:
    """Name a constant with its type: 1, 1.0 and True differ."""
    if isinstance(value, CodeType):
        return value.co_name.encode() + b":" + normal_form(value).digest
    return scalar(value) if type(value) in PLAIN else Walk(expand).digest(value)


def _loads(code: CodeType, instructions: list[dis.Instruction]) -> Iterator[Load]:
    """The global names read, except those that a class body has assigned before."""
    own: set[str] = set()
    for at, each in enumerate(instructions):
        if each.opname in _GLOBAL_LOADS and each.argval not in own:
            yield _chain(each.argval, islice(instructions, at + 1, None))
        elif each.opname == "STORE_NAME":
            own.add(each.argval)
    own.update(code.co_varnames, code.co_cellvars, code.co_freevars)
    yield from (Load(name) for name in _in_strings(instructions) if name not in own)


def _in_strings(instructions: list[dis.Instruction]) -> Iterator[str]:
    """The names in strings that are given to what evaluates strings."""
    for at, each in enumerate(instructions):
        if each.opname not in _ATTRIBUTES or each.argval not in METHODS:
            continue
        before = instructions[at - 1]
        owner = before.argval if before.opname in _GLOBAL_LOADS else ""
        for given in takewhile(_is_argument, islice(instructions, at + 1, None)):
            if isinstance(given.argval, str) and given.opcode in _CONSTANTS:
                yield from names_in(given.argval, each.argval, owner)


def _is_argument(instruction: dis.Instruction) -> bool:
    return not instruction.opname.startswith("CALL")


def _chain(name: str, rest: Iterable[dis.Instruction]) -> Load:
    """Follow a name through the attributes that are read from it at once."""
    attributes = []
    for each in rest:
        if each.opname in _ATTRIBUTES:
            attributes.append(each.argval)
        elif each.opname not in _BETWEEN:
            return Load(name, tuple(attributes), each.opname == "CALL" and each.arg == 0)
    return Load(name, tuple(attributes))


def _imports(code: CodeType) -> Iterator[Import]:
    """The modules imported, with what is taken from each or read from it later."""
    instructions = [*_single(code)]
    for at, each in enumerate(instructions):
        if each.opname == "IMPORT_NAME":
            level, wanted = instructions[at - 2].argval, instructions[at - 1].argval
            if wanted:
                yield Import(each.argval, level if isinstance(level, int) else 0, tuple(wanted))
            else:
                yield _import_whole(each.argval, islice(instructions, at + 1, None), code)


def _import_whole(module: str, rest: Iterable[dis.Instruction], code: CodeType) -> Import:
    """``import a.b`` binds ``a``; ``import a.b as c`` takes ``b`` from it, and binds that."""
    is_renamed = False
    for each in rest:
        is_renamed |= each.opname == "IMPORT_FROM"
        if each.opname.startswith("STORE_"):
            break
    module = module if is_renamed else module.partition(".")[0]
    if each.opname not in ("STORE_FAST", "STORE_DEREF"):  # anybody may read it from there
        return Import(module, 0, ("",))
    return Import(module, 0, tuple(_attributes_of(each.argval, code)))


def _attributes_of(local: str, code: CodeType) -> Iterator[str]:
    """The dotted attributes that are read from a local variable, also by functions within."""
    instructions = [*_single(code)]
    is_shared = local in code.co_cellvars or local in code.co_freevars
    loads = _SHARED_LOADS if is_shared else _LOCAL_LOADS  # else it is handed to a function within
    for at, each in enumerate(instructions):
        if each.opname in loads and each.argval == local:
            yield ".".join(_chain(local, islice(instructions, at + 1, None)).attributes)
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and local in inner.co_freevars:
            yield from _attributes_of(local, inner)


def _handlers(table: bytes) -> Iterator[Handler]:
    """Read an exception table.

    The format is described in CPython's ``InternalDocs/exception_handling.md``.
    """
    numbers = _varints(table)
    for start, length, target, depth in zip(numbers, numbers, numbers, numbers, strict=True):
        yield Handler(start * 2, (start + length) * 2, target * 2, depth)


def _varints(table: bytes) -> Iterator[int]:
    """Numbers in groups of six bits, the highest first."""
    number = 0
    for byte in table:
        number = number << 6 | byte & 63
        if not byte & 64:
            yield number
            number = 0
