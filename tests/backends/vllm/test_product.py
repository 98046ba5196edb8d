"""The whole product on vllm, from the command line: its processes start anew from ours and must find their way."""

from __future__ import annotations

from backends.product import ProductContract


class TestProduct(ProductContract):
    backend = "vllm"
    flags = ("--torch_dtype", "float32", "--vllm_kv_cache_gib", "0.25")
