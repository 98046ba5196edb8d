"""Reads the latent of a reference, a ``.npy`` file that comes with its recording.

Strangers send it: nothing is unpickled and no size is believed.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from flashtts_core.errors import RequestError

FIELD = "latent_file"
_VERSIONS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_LARGEST = 1e4  # latents are near standard normal; anything beyond this is not one


def read_latent(content: bytes, width: int) -> NDArray[np.float32]:
    """Return the latent [L, width] in a file that holds it as [1, L, width]; raises ``RequestError``."""
    shape, dtype = _header(content, width)
    if len(shape) != 3 or shape[0] != 1 or shape[1] < 1 or shape[2] != width or dtype.kind != "f":
        raise _unfit(f"it holds {dtype} numbers of shape {list(shape)}", width)
    try:
        latent: NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)[0].astype(np.float32)
    except (ValueError, EOFError, OSError) as error:
        raise _unfit("it is cut off", width) from error
    if not np.isfinite(latent).all() or np.abs(latent).max() > _LARGEST:
        raise _unfit("it holds numbers that are not finite, or far too large", width)
    return latent


def _header(content: bytes, width: int) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Return shape and type as the file says them, if it is as long as they take."""
    file = io.BytesIO(content)
    try:
        version = npy.read_magic(file)
        shape, _, dtype = _VERSIONS[version](file)
    except (ValueError, KeyError, EOFError) as error:
        raise _unfit("it is not a .npy file", width) from error
    if dtype.hasobject:
        raise _unfit("it holds pickled objects, which are never read", width)
    if len(content) - file.tell() < int(np.prod(shape, dtype=object)) * dtype.itemsize:
        raise _unfit("it is cut off", width)
    return shape, dtype


def _unfit(reason: str, width: int) -> RequestError:
    return RequestError(
        f"The latent cannot be used: {reason}. Send the .npy file that belongs to the recording, float32 numbers of "
        f"shape [1, L, {width}] with 25 latents a second.",
        param=FIELD,
    )
