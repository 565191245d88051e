"""How PyTorch's tensors are taken apart: type, shape, place and elements, whatever the strides.

Modules and optimizers need nothing of their own: they are their class and their attributes.
"""

from __future__ import annotations

from typing import Any

import torch
import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values.expand import register
from dagnb.values.walk import Parts


@register(torch.Tensor)
def _tensor(value: Any) -> Parts:
    """Whether gradients are taken, and those that were, decide what a training does next."""
    head = [type(value), str(value.dtype), tuple(value.shape), str(value.device)]
    state = [value.requires_grad, value.grad if value.is_leaf else None]
    return Parts("tensor", [*head, *state, *_elements(value.detach())])


@register(torch.dtype, torch.device, torch.Size)
def _described(value: object) -> Parts:
    return Parts("torch", [type(value).__name__, str(value)], leaf=True)


@register(torch.Generator)
def _generator(value: Any) -> Parts:
    """A random generator is its state."""
    return Parts("torch generator", [str(value.device), value.get_state()])


def _elements(value: Any) -> list[object]:
    """The elements in C order, as bytes."""
    if value.layout is torch.sparse_coo:
        entries = value.coalesce()
        return [str(value.layout), entries.indices(), entries.values()]
    if value.layout is not torch.strided or value.is_quantized or value.is_meta:
        raise UncacheableValue(
            f"a tensor of layout {value.layout} on {value.device} has no digest; "
            "return a dense tensor"
        )
    flat = value.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return [xxhash.xxh3_128_digest(flat.view(torch.uint8).numpy())]
