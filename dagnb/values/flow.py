"""The control flow of bytecode, without how the compiler laid it out.

Where the compiler puts a block, whether it copies a small one and which way it turns a condition
depends on line breaks. So instructions are taken as states of an automaton: unconditional jumps
vanish, states that cannot be told apart become one (Moore 1956, *Gedanken-Experiments on
Sequential Machines*), and the rest are numbered in the order in which they are reached.
"""

from __future__ import annotations

import dis
import re
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
_ALWAYS = re.compile(r"JUMP(_FORWARD|_BACKWARD|_ABSOLUTE)?(_NO_INTERRUPT)?")
_UNCONDITIONAL = frozenset(filter(_ALWAYS.fullmatch, dis.opmap))
_CONDITION = re.compile(r"POP_JUMP_(?:FORWARD_|BACKWARD_)?IF_(NOT_)?(TRUE|FALSE|NONE)")
_SHORT_CUT = re.compile(r"JUMP_IF_(TRUE|FALSE)_OR_POP")  # Python 3.11 only
_ENDINGS = frozenset(("RETURN_VALUE", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"))
# What cannot raise is in a handler's range or not as the compiler likes it.
_SAFE = frozenset(("STORES", "STORE_FAST", "POP_TOP", "SWAP", "COPY", "LOAD_CONST", "PUSH_NULL"))
if "LOAD_FAST_CHECK" in dis.opmap:  # before that, it was LOAD_FAST which raised
    _SAFE |= {"LOAD_FAST", "LOAD_FAST_AND_CLEAR"}


class Handler(NamedTuple):
    """Where an exception goes that is raised between two offsets, in bytes."""

    start: int
    end: int
    target: int
    depth: int


class State(NamedTuple):
    """An instruction: what it does, and what may come after it, its handler last."""

    label: bytes
    depth: int
    following: Sequence[int]


def flow(
    instructions: Sequence[dis.Instruction],
    arguments: Sequence[bytes],
    handlers: Sequence[Handler],
) -> Iterator[bytes]:
    """Name what instructions do and in which order, whatever their places.

    Parameters
    ----------
    instructions : sequence of Instruction
        By offset; a jump to what is left out goes to the next one.
    arguments : sequence of bytes
        What the argument of each stands for; not looked at for jumps.
    handlers : sequence of Handler

    Yields
    ------
    bytes
        Label and successors of each state that can be reached. Costs a few microseconds for
        each instruction.
    """
    if not instructions:
        return
    states = _states(instructions, arguments, handlers)
    classes = _classes(states)
    entry = classes[_Places(instructions).after(0)]
    members = dict(zip(classes, states, strict=True))
    numbers, order = {entry: 0}, [entry]
    for kind in order:  # grows while it is gone through
        label, depth, following = members[kind]
        for each in following:
            if classes[each] not in numbers:
                numbers[classes[each]] = len(order)
                order.append(classes[each])
        yield label
        yield repr((depth, [numbers[classes[each]] for each in following])).encode()


class _Places:
    """Where control really goes from an offset: over whatever is left out, and along jumps."""

    def __init__(self, instructions: Sequence[dis.Instruction]) -> None:
        self._instructions = instructions
        self._offsets = [each.offset for each in instructions]

    def of(self, offset: int) -> int:
        """Return the position of what is done at an offset or after it."""
        return self.after(bisect_left(self._offsets, offset))

    def after(self, position: int) -> int:
        """Return a position, or where the jump there leads; in an empty loop it stays a jump."""
        seen: set[int] = set()
        while self._instructions[position].opname in _UNCONDITIONAL and position not in seen:
            seen.add(position)
            position = bisect_left(self._offsets, self._instructions[position].argval)
        return position

    def knowing(self, position: int, truth: str) -> tuple[int, bool]:
        """Return where a value leads that is known to be true or not, and if it is popped."""
        each = self._instructions[position]
        condition = _CONDITION.fullmatch(each.opname) or _SHORT_CUT.fullmatch(each.opname)
        if condition is None or condition[condition.lastindex or 0] == "NONE":
            return position, False
        is_popped, jumps = each.opname.startswith("POP"), each.opname.partition("IF_")[2]
        if not jumps.startswith(truth):
            return self.after(position + 1), True
        target = self.of(each.argval)
        return (target, True) if is_popped else self.knowing(target, truth)


def _states(
    instructions: Sequence[dis.Instruction],
    arguments: Sequence[bytes],
    handlers: Sequence[Handler],
) -> list[State]:
    places, states, left = _Places(instructions), [], [*reversed(handlers)]
    for position, each in enumerate(instructions):
        label, following = _step(places, position, each, arguments[position])
        while left and left[-1].end <= each.offset:
            left.pop()
        depth = -1
        if left and left[-1].start <= each.offset and each.opname not in _SAFE:
            depth, following = left[-1].depth, [*following, places.of(left[-1].target)]
        states.append(State(label, depth, following))
    return states


def _step(
    places: _Places, position: int, instruction: dis.Instruction, argument: bytes
) -> tuple[bytes, list[int]]:
    """Return what an instruction does, and what may come after it; a condition's yes first."""
    opname = instruction.opname
    if opname in _ENDINGS:
        return opname.encode() + b" " + argument, []
    if instruction.opcode not in JUMPS:
        return opname.encode() + b" " + argument, [places.after(position + 1)]
    target = places.of(instruction.argval)
    if opname in _UNCONDITIONAL:
        return b"LOOP", [target]
    if short_cut := _SHORT_CUT.fullmatch(opname):
        target, is_popped = places.knowing(target, short_cut[1])
        opname = f"POP_{opname.removesuffix('_OR_POP')}" if is_popped else opname
    following, condition = [target, places.after(position + 1)], _CONDITION.fullmatch(opname)
    if condition is None:
        return opname.encode(), following
    negated, what = condition.groups()
    if negated or what == "FALSE":
        following.reverse()
    return b"IF NONE" if what == "NONE" else b"IF", following


def _classes(states: Sequence[State]) -> list[int]:
    """Number the states so that two have the same number if nothing tells them apart."""
    classes, count = _numbered([(each.label, each.depth) for each in states])
    while True:
        finer, number = _numbered(
            [(own, *[classes[each] for each in state.following])
             for own, state in zip(classes, states, strict=True)]
        )  # fmt: skip
        if number == count:
            return classes
        classes, count = finer, number


def _numbered(keys: Sequence[Hashable]) -> tuple[list[int], int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys], len(numbers)
