"""The operators of a strategy file: who may command its account, by the public half of their keys.

```yaml
operators:                      # helios keys new NAME makes a key and prints its line; left out, commands need none
  anna: 7CZ3M0K3kFh0z6m7r0Dq3m6lq2e1Vw4mDk0oI1f0b2A=
```
"""

import base64
from collections.abc import Mapping

from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.signing import public_bytes


def read_operators(section: Section | None) -> dict[str, bytes]:
    """Of a section, faults noted in it; empty where it is left out."""
    keys: dict[str, bytes] = {}
    for name in section.names() if section else ():
        assert section is not None
        try:
            keys[name] = public_bytes(section.text(name))
        except ValueError as error:
            section.fault(name, str(error))
    return keys


def dump_operators(operators: Mapping[str, bytes]) -> dict[str, str]:
    """As the file has them."""
    return {name: base64.b64encode(key).decode() for name, key in operators.items()}
