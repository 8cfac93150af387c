"""The distance between two patches, in vector instructions.

Left to itself the compiler turns the loop over a patch into scalar code, twenty times slower
than this. The instructions are LLVM's generic vectors, so that they compile on every processor.

Numba's cache on disk follows changes of `kernels.py` and not of this file: after a change here,
touch that one.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

RADIUS = 3
SIZE = 2 * RADIUS + 1
CHANNELS = 4
ROW = SIZE * CHANNELS  # bytes of one row of a patch: 28
LANES = 32  # bytes loaded at a time; those past ROW are masked out
PADDING = 2 * LANES  # bytes that an image needs behind its last pixel, because of them


@intrinsic
def patch_distance(typingctx: Any, flat: Any, first: Any, second: Any, stride: Any) -> Any:
    """Sum of squared differences of two 7x7x4 patches of the uint8 array `flat`.

    first, second: int64 offsets of the patches' first byte; stride: int64 bytes of an image row.
    At most 7 * 7 * 4 * 255**2 = 12.8 million, so it fits the int32 that is returned.
    """
    signature = types.int32(flat, types.int64, types.int64, types.int64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, at_first, at_second, step = args
        data = context.make_array(signature.args[0])(context, builder, array).data
        byte, short, word = ir.IntType(8), ir.IntType(16), ir.IntType(32)
        bytes_, shorts = ir.VectorType(byte, LANES), ir.VectorType(short, LANES)
        words = ir.VectorType(word, LANES // 2)
        inside = ir.Constant(shorts, [-1 if lane < ROW else 0 for lane in range(LANES)])
        nothing = ir.Constant(shorts, ir.Undefined)
        even = ir.Constant(words, list(range(0, LANES, 2)))
        odd = ir.Constant(words, list(range(1, LANES, 2)))

        def load(offset: Any) -> Any:
            pointer = builder.bitcast(builder.gep(data, [offset]), bytes_.as_pointer())
            return builder.zext(builder.load(pointer, align=1), shorts)

        total = ir.Constant(words, [0] * (LANES // 2))
        for _ in range(SIZE):
            difference = builder.and_(builder.sub(load(at_first), load(at_second)), inside)
            # Even and odd lanes apart: compilers know this shape as multiply-and-add of pairs.
            for lanes in (even, odd):
                part = builder.sext(builder.shuffle_vector(difference, nothing, lanes), words)
                total = builder.add(total, builder.mul(part, part))
            at_first = builder.add(at_first, step)
            at_second = builder.add(at_second, step)
        reduce = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(word, [words]),
            f"llvm.vector.reduce.add.v{LANES // 2}i32",
        )
        return builder.call(reduce, [total])

    return signature, codegen
