from __future__ import annotations

from c8s.pipeline.matrix import count_product, expand, name_variable
from c8s.pipeline.model import Matrix

DIMENSIONS = {"python": ("3.11", "3.12"), "os": ("bookworm", "alpine")}


def test_no_matrix_is_one_empty_combination() -> None:
    assert expand(None) == ({},)


def test_last_dimension_changes_fastest() -> None:
    assert expand(Matrix(DIMENSIONS)) == (
        {"python": "3.11", "os": "bookworm"},
        {"python": "3.11", "os": "alpine"},
        {"python": "3.12", "os": "bookworm"},
        {"python": "3.12", "os": "alpine"},
    )


def test_partial_exclude_takes_all_it_fits() -> None:
    assert expand(Matrix(DIMENSIONS, exclude=({"os": "alpine"},))) == (
        {"python": "3.11", "os": "bookworm"},
        {"python": "3.12", "os": "bookworm"},
    )


def test_include_is_added_after_exclude() -> None:
    combination = {"os": "alpine", "python": "3.11"}
    matrix = Matrix(DIMENSIONS, exclude=({"os": "alpine"}, {"python": "3.12"}), include=(combination,))
    expanded = expand(matrix)
    assert expanded == ({"python": "3.11", "os": "bookworm"}, {"python": "3.11", "os": "alpine"})
    assert list(expanded[1]) == ["python", "os"]


def test_no_combination_comes_twice() -> None:
    matrix = Matrix({"a": ("1", "1")}, include=({"a": "1"},))
    assert expand(matrix) == ({"a": "1"},)


def test_product_is_counted_without_being_made() -> None:
    assert count_product({str(number): tuple("abcdefghij") for number in range(50)}) == 10**50


def test_dimension_names_its_variable() -> None:
    assert name_variable("node-version") == "MATRIX_NODE_VERSION"
