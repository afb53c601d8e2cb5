"""What a kernel is given again and again, put down once in memory as compiled code has it.

numba unpacks every array of a call's arguments anew, 0.2 us each: 9 us for the forty of the spread kernel, which takes
a tick in 0.06. Of values that are held it is given an address.
"""

from typing import Any

import numpy as np
from numba import typeof, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from pipelines.domain.compiled import compiled


class Held:
    """Arrays, numbers and tuples of them at an `address`, `kind` their type there; good for as long as this object is.

    A kernel sees what becomes of the elements of arrays; other objects in their place are to be held anew.
    """

    def __init__(self, *values: Any) -> None:
        self.values = values
        self.kind = typeof(values)
        context = cpu_target.target_context
        self._memory = np.zeros(context.get_abi_sizeof(context.get_data_type(self.kind)), np.uint8)
        self.address: int = self._memory.ctypes.data
        _put(self.address, values)


def _load(_: Any, address: Any, kind: Any) -> Any:
    of = kind.instance_type

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return context.unpack_value(builder, of, _at(context, builder, arguments[0], of))

    return of(address, kind), generate


held = intrinsic(_load)
"""In a kernel: the values of a Held, by its address and its kind."""


def _store(_: Any, address: Any, values: Any) -> Any:
    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        context.pack_value(builder, values, arguments[1], _at(context, builder, arguments[0], values))
        return context.get_dummy_value()

    return types.void(address, values), generate


def _at(context: Any, builder: Any, address: Any, of: Any) -> Any:
    return builder.inttoptr(address, context.get_data_type(of).as_pointer())


_stored = intrinsic(_store)


@compiled
def _put(address: int, values: Any) -> None:
    _stored(address, values)
