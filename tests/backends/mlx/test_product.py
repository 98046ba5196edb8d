"""The whole product on mlx-lm."""

from __future__ import annotations

from backends.product import ProductContract


class TestProduct(ProductContract):
    backend = "mlx-lm"
    flags = ("--torch_dtype", "float32")
