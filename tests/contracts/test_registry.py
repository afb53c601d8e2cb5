"""The schema registry: a real one where the stack is up, and what is said when it is not."""

import pytest

from pipelines.contracts.registry import RegistryError, SchemaRegistry


def test_a_registry_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(
        RegistryError, match=r"schema registry http://127\.0\.0\.1:1/v7: no answer to PUT config: .*refused"
    ):
        SchemaRegistry("http://127.0.0.1:1/v7", timeout_s=1).register_all()
