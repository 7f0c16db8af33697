#!/usr/bin/env python3
"""An independent interpreter of model.pare: standard library only, no code shared with the engine.

Written from docs/model-format.md and docs/arithmetic.md, so that a mistake which engine and training share still shows
up here. It reads the bytes itself, derives every multiplier again from the float32 scales, computes with Python's
unbounded integers and checks that no accumulator leaves 32 bits. Slow on purpose; weights that are zero are skipped.

  pare_interpreter.py MODEL IMAGES.idx[.gz] [--count N] [--all-tensors]

prints one JSON document a line for each image: its label and output codes, with --all-tensors the codes of every
tensor. Images of unsigned bytes go through the model's pixel tables; images of signed bytes are taken as codes.
"""

import argparse
import gzip
import json
import math
import struct
import sys
import zlib


class ModelError(Exception):
    """The model or the images are damaged, or the model contradicts itself."""


INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


# ---- arithmetic (docs/arithmetic.md)


def high_multiply(a, b):
    """a * b / 2^31 to nearest, ties up; saturates."""
    if a == INT32_MIN and b == INT32_MIN:
        return INT32_MAX
    return (a * b + (1 << 30)) >> 31


def divide_by_power(x, exponent):
    """x / 2^exponent to nearest, ties away from zero."""
    quotient = (2 * abs(x) + (1 << exponent)) >> (exponent + 1)
    return -quotient if x < 0 else quotient


def fits(value):
    if not INT32_MIN <= value <= INT32_MAX:
        raise ModelError(f"{value} leaves 32 bits")
    return value


def scale_twice(accumulator, value, shift):
    shifted = fits(accumulator << max(shift, 0))
    return fits(divide_by_power(high_multiply(shifted, value), max(-shift, 0)))


def scale_once(accumulator, value, shift):
    right = 31 - shift
    fits(accumulator << max(shift, 0))
    return fits((accumulator * value + (1 << (right - 1))) >> right)


SCALE = (scale_twice, scale_once)


def average(total, count):
    """total / count to nearest, ties away from zero, by truncating division."""
    if total > 0:
        return (total + count // 2) // count
    return -((-total + count // 2) // count)


def float32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def round_to_float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def multiplier_of(real):
    """A positive real number as (value, shift)."""
    fraction, shift = math.frexp(real)
    value = math.floor(fraction * 2**31 + 0.5)
    if value == 2**31:
        value //= 2
        shift += 1
    return (0, 0) if shift < -31 else (value, shift)


# ---- reading (docs/model-format.md)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise ModelError(f"the file ends inside a field (at byte {self.at})")
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def uvar(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def svar(self):
        value = self.uvar()
        return -((value + 1) // 2) if value & 1 else value // 2

    def text(self):
        return self.take(self.u8()).decode("utf-8", "replace")

    def multiplier(self):
        return struct.unpack("<ib", self.take(5))

    def window(self):
        names = ("kernel_h", "kernel_w", "stride_h", "stride_w", "top", "left", "bottom", "right")
        return {name: self.uvar() for name in names}


def bit_at(data, index):
    return data[index // 8] >> (index % 8) & 1


def packed_codes(data, count, bits, lowest):
    number = int.from_bytes(data, "little")
    if len(data) != (count * bits + 7) // 8 or number >> (count * bits):
        raise ModelError("packed codes have the wrong length")
    mask = (1 << bits) - 1
    # Cut in pieces of whole bytes: shifting one huge number for every code would take quadratic time.
    codes = []
    for first in range(0, count, 8):
        piece = int.from_bytes(data[first // 8 * bits : first // 8 * bits + bits], "little")
        codes += [(piece >> (i * bits) & mask) + lowest for i in range(min(8, count - first))]
    return codes


def bitmap_codes(data, zeros, bits, lowest):
    size = (len(zeros) + 7) // 8
    flags = [bit_at(data, i) for i in range(len(zeros))] if len(data) >= size else None
    if flags is None:
        raise ModelError("the bitmap is too short")
    others = iter(packed_codes(data[size:], sum(flags), bits, lowest))
    return [next(others) if flag else zero for flag, zero in zip(flags, zeros)]


class Model:
    """One adaptive probability."""

    __slots__ = ("ones", "seen")

    def __init__(self):
        self.ones = 32768
        self.seen = 0


class ArithmeticDecoder:
    def __init__(self, data):
        self.data = data
        self.low, self.high = 0, 2**32 - 1
        self.value = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.next = 4

    def bit(self, model):
        probability = min(max(model.ones, 800), 64736)
        middle = self.low + ((self.high - self.low) * probability >> 16)
        bit = self.value <= middle
        if bit:
            self.high = middle
            model.ones += (65536 - model.ones) // (model.seen + 2)
        else:
            self.low = middle + 1
            model.ones -= model.ones // (model.seen + 2)
        model.seen = min(model.seen + 1, 250)
        while self.low >> 24 == self.high >> 24:
            byte = self.data[self.next] if self.next < len(self.data) else 0
            self.next += 1
            self.low = (self.low << 8) & 0xFFFFFFFF
            self.high = (self.high << 8 | 255) & 0xFFFFFFFF
            self.value = (self.value << 8 | byte) & 0xFFFFFFFF
        return bit


def arithmetic_codes(data, zeros, bits, affine, row):
    decoder = ArithmeticDecoder(data)
    levels = bits if affine else bits - 1
    flags, sign, magnitudes = [Model() for _ in range(16)], Model(), [Model() for _ in range(1 << levels)]
    set_flags = bytearray(len(zeros))
    codes = []
    for i, zero in enumerate(zeros):
        near = sum(set_flags[max(0, i - 8) : i])
        above = sum(set_flags[i - row * k] for k in range(1, 9) if i >= row * k)
        if not decoder.bit(flags[4 * min(near, 3) + min(above, 3)]):
            codes.append(zero)
            continue
        set_flags[i] = 1
        negative = decoder.bit(sign)
        node = 1
        for _ in range(levels):
            node = 2 * node + decoder.bit(magnitudes[node])
        magnitude = node - (1 << levels) + 1
        codes.append(zero - magnitude if negative else zero + magnitude)
    if decoder.next != len(data):
        raise ModelError("the arithmetic codes do not end where their bytes do")
    return codes


def entries_codes(data, zeros, first_bit, next_entry):
    """Codes from entries (gap, code): so many zeros, then the code."""
    codes, at = [], first_bit
    while len(codes) < len(zeros):
        gap, code, at = next_entry(at)
        if len(codes) + gap >= len(zeros):
            raise ModelError("a gap leads behind the last code")
        codes += zeros[len(codes) : len(codes) + gap] + [code]
    if (at + 7) // 8 != len(data) or any(bit_at(data, i) for i in range(at, 8 * len(data))):
        raise ModelError("the entries do not end where their bytes do")
    return codes


def number_at(data, at, bits):
    return sum(bit_at(data, at + i) << i for i in range(bits))


def relative_index_codes(data, zeros, bits, lowest):
    gap_bits = data[0]

    def entry(at):
        gap, code = number_at(data, at, gap_bits), number_at(data, at + gap_bits, bits)
        return gap, code + lowest, at + gap_bits + bits

    return entries_codes(data, zeros, 8, entry)


def huffman_table(data, at, symbols):
    """{(length, code): symbol}, canonical, and the bit behind it."""
    lengths = [number_at(data, at + 4 * s, 4) for s in range(symbols)]
    table, code = {}, 0
    for length in range(1, 16):
        code <<= 1
        for symbol in range(symbols):
            if lengths[symbol] == length:
                table[length, code] = symbol
                code += 1
    return table, at + 4 * symbols


def huffman_codes(data, zeros, bits, lowest):
    gap_bits, at = data[0], 8
    gaps = None
    if gap_bits:
        gaps, at = huffman_table(data, at, 1 << gap_bits)
    codes, at = huffman_table(data, at, 1 << bits)

    def symbol(table, at):
        code = 0
        for length in range(1, 16):
            code = 2 * code + bit_at(data, at)
            at += 1
            if (length, code) in table:
                return table[length, code], at
        raise ModelError("no Huffman code has 15 bits that begin like this")

    def entry(at):
        gap, at = symbol(gaps, at) if gaps else (0, at)
        code, at = symbol(codes, at)
        return gap, code + lowest, at

    return entries_codes(data, zeros, at, entry)


def read_weights(reader, outputs, taps, interleaved):
    bits, affine = reader.u8(), reader.u8()
    zero_points = [reader.svar() for _ in range(reader.uvar())] if affine else [0]
    scales = [reader.u32() for _ in range(reader.uvar())]
    coding = reader.u8()
    data = reader.take(reader.uvar())
    lowest, highest = (128 - 2**bits, 127) if affine else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    channels = range(outputs)
    order = [c for _ in range(taps) for c in channels] if interleaved else [c for c in channels for _ in range(taps)]
    zeros = [zero_points[c if len(zero_points) > 1 else 0] for c in order]
    if coding == 0:
        codes = packed_codes(data, len(zeros), bits, lowest)
    elif coding == 1:
        codes = bitmap_codes(data, zeros, bits, lowest)
    elif coding == 2:
        codes = arithmetic_codes(data, zeros, bits, affine, outputs if interleaved else taps)
    elif coding == 3:
        codes = relative_index_codes(data, zeros, bits, lowest)
    elif coding == 4:
        codes = huffman_codes(data, zeros, bits, lowest)
    else:
        raise ModelError(f"coding {coding} is unknown")
    if any(not lowest <= code <= highest for code in codes):
        raise ModelError("a weight code is out of range")
    # What a tap multiplies with: zero point removed. [channel][tap], whatever the order in the file was.
    effective = [code - zero for code, zero in zip(codes, zeros)]
    if interleaved:
        rows = [effective[c::outputs] for c in channels]
    else:
        rows = [effective[c * taps : (c + 1) * taps] for c in channels]
    return {"rows": rows, "scales": scales}


def read_channels(reader, version, outputs):
    fraction_bits = reader.u8() if version >= 3 else 0
    bias = [reader.svar() for _ in range(outputs)]
    multipliers = [reader.multiplier() for _ in range(outputs)]
    negate = [0] * outputs
    if reader.u8():
        signs = reader.take((outputs + 7) // 8)
        negate = [bit_at(signs, c) for c in range(outputs)]
    return {"fraction_bits": fraction_bits, "bias": bias, "multipliers": multipliers, "negate": negate}


KINDS = ("conv2d", "depthwise_conv2d", "dense", "max_pool2d", "average_pool2d", "global_average", "add", "clamp", "reshape")


def read_operation(reader, version, tensors):
    kind = reader.u8()
    if kind >= len(KINDS):
        raise ModelError(f"operation kind {kind} is unknown")
    op = {"kind": KINDS[kind]}
    op["inputs"] = [reader.uvar() for _ in range(2 if op["kind"] == "add" else 1)]
    op["output"] = reader.uvar()
    if max(op["inputs"] + [op["output"]]) >= len(tensors):
        raise ModelError("a tensor index is out of range")
    source, target = tensors[op["inputs"][0]], tensors[op["output"]]
    if op["kind"] in ("conv2d", "depthwise_conv2d", "max_pool2d", "average_pool2d"):
        op["window"] = reader.window()
    if op["kind"] == "conv2d":
        op["groups"] = reader.uvar()
        taps = op["window"]["kernel_h"] * op["window"]["kernel_w"] * (source["channels"] // op["groups"])
    elif op["kind"] == "depthwise_conv2d":
        taps = op["window"]["kernel_h"] * op["window"]["kernel_w"]
    elif op["kind"] == "dense":
        taps = source["size"]
    if op["kind"] in ("conv2d", "depthwise_conv2d", "dense"):
        op["weights"] = read_weights(reader, target["channels"], taps, op["kind"] == "depthwise_conv2d")
        op["channels"] = read_channels(reader, version, target["channels"])
    elif op["kind"] == "global_average":
        op["multipliers"] = [reader.multiplier()]
    elif op["kind"] == "add":
        op["multipliers"] = [reader.multiplier() for _ in range(3)]
    return op


def read_model(data):
    """The model as dictionaries. Raises ModelError."""
    if len(data) < 12 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ModelError("the checksum does not match")
    reader = Reader(data[:-4])
    magic, version = reader.take(4), reader.u32()
    if magic != b"PARE" or version not in (1, 2, 3):
        raise ModelError("not a model.pare of version 1, 2 or 3")
    model = {"rounding": reader.u8(), "name": reader.text()}
    count = reader.uvar()
    model["input"], model["output"] = reader.uvar(), reader.uvar()
    model["tensors"] = []
    for _ in range(count):
        t = {"name": reader.text(), "height": reader.uvar(), "width": reader.uvar(), "channels": reader.uvar()}
        t.update({"zero": reader.svar(), "low": reader.svar(), "high": reader.svar(), "scale": reader.u32()})
        t["size"] = t["height"] * t["width"] * t["channels"]
        model["tensors"].append(t)
    model["pixels"] = [struct.unpack("<256b", reader.take(256)) for _ in range(reader.uvar())]
    model["operations"] = [read_operation(reader, version, model["tensors"]) for _ in range(reader.uvar())]
    if reader.at != len(reader.data):
        raise ModelError("bytes follow the end of the program")
    return model


# ---- multipliers, derived again


def layer_multipliers(op, source, target):
    s_in, s_out, scales = float32(source["scale"]), float32(target["scale"]), op["weights"]["scales"]
    for c in range(target["channels"]):
        product = s_in * float32(scales[c if len(scales) > 1 else 0])
        if op["kind"] == "dense" and len(scales) == 1:
            product = round_to_float32(product)
        yield multiplier_of(product / 2 ** op["channels"]["fraction_bits"] / s_out)


def average_multiplier(source, target):
    value, shift = multiplier_of(float32(source["scale"]) / float32(target["scale"]))
    pixels = source["height"] * source["width"]
    k = min(pixels.bit_length() - 1, 32, 31 + shift)
    return ((value << k) // pixels, shift - k)


def add_multipliers(a, b, target):
    s_a, s_b, s_out = (float32(t["scale"]) for t in (a, b, target))
    twice = 2 * max(s_a, s_b)
    return [multiplier_of(s_a / twice), multiplier_of(s_b / twice), multiplier_of(twice / (2**20 * s_out))]


def check_multipliers(model):
    """Raises ModelError where a stored multiplier is not what the scales give."""
    tensors = model["tensors"]
    for k, op in enumerate(model["operations"]):
        source, target = tensors[op["inputs"][0]], tensors[op["output"]]
        if "weights" in op:
            stored, derived = op["channels"]["multipliers"], list(layer_multipliers(op, source, target))
        elif op["kind"] == "global_average":
            stored, derived = op["multipliers"], [average_multiplier(source, target)]
        elif op["kind"] == "add":
            stored, derived = op["multipliers"], add_multipliers(source, tensors[op["inputs"][1]], target)
        else:
            continue
        for c, (got, expected) in enumerate(zip(stored, derived)):
            if tuple(got) != tuple(expected):
                where = f"operation {k} ({op['kind']} '{target['name']}')"
                raise ModelError(f"{where}: multiplier {c} is {got}, but the scales give {expected}")


# ---- running


class Interpreter:
    def __init__(self, model):
        check_multipliers(model)
        self.model = model
        self.scale = SCALE[model["rounding"]]
        self.steps = [self.prepare(op) for op in model["operations"]]

    def run(self, codes):
        """The codes of every tensor for one image, given those of the input."""
        values = [None] * len(self.model["tensors"])
        values[self.model["input"]] = list(codes)
        for op, step in zip(self.model["operations"], self.steps):
            values[op["output"]] = step(*(values[t] for t in op["inputs"]))
        return values

    def output(self, values):
        return values[self.model["output"]]

    def prepare(self, op):
        """A function from the codes of the inputs to those of the output."""
        source, target = self.model["tensors"][op["inputs"][0]], self.model["tensors"][op["output"]]
        return getattr(self, op["kind"])(op, source, target)

    def finish(self, accumulator, multiplier, target):
        code = self.scale(fits(accumulator), *multiplier) + target["zero"]
        return min(max(code, target["low"]), target["high"])

    def channel_codes(self, op, c, sums, target):
        """Sums of products of one channel, at all its pixels, as codes."""
        factor = (-1 if op["channels"]["negate"][c] else 1) * 2 ** op["channels"]["fraction_bits"]
        bias, multiplier = op["channels"]["bias"][c], op["channels"]["multipliers"][c]
        return [self.finish(bias + factor * s, multiplier, target) for s in sums]

    def dense(self, op, source, target):
        rows = [[(i, w) for i, w in enumerate(row) if w] for row in op["weights"]["rows"]]

        def step(codes):
            x = [code - source["zero"] for code in codes]
            result = []
            for c, row in enumerate(rows):
                result += self.channel_codes(op, c, [sum(w * x[i] for i, w in row)], target)
            return result

        return step

    def slide(self, op, source, target, taps_of):
        """Both convolutions. taps_of(c): (ky, kx, input channel, weight) of the weights that are not zero."""
        window = op["window"]
        width = source["width"] + window["left"] + window["right"]
        height = source["height"] + window["top"] + window["bottom"]
        starts = [
            y * window["stride_h"] * width + x * window["stride_w"]
            for y in range(target["height"])
            for x in range(target["width"])
        ]
        rows = [[(i, ky * width + kx, w) for ky, kx, i, w in taps_of(c)] for c in range(target["channels"])]

        def step(codes):
            # One plane per input channel, zero point removed, zeros around it: taps outside add nothing.
            planes = [[0] * (height * width) for _ in range(source["channels"])]
            for y in range(source["height"]):
                for x in range(source["width"]):
                    pixel = (y * source["width"] + x) * source["channels"]
                    place = (y + window["top"]) * width + x + window["left"]
                    for i, plane in enumerate(planes):
                        plane[place] = codes[pixel + i] - source["zero"]
            result = [0] * target["size"]
            for c, row in enumerate(rows):
                sums = [0] * len(starts)
                for i, offset, w in row:
                    plane = planes[i]
                    sums = [s + w * plane[start + offset] for s, start in zip(sums, starts)]
                result[c :: target["channels"]] = self.channel_codes(op, c, sums, target)
            return result

        return step

    def conv2d(self, op, source, target):
        depth = source["channels"] // op["groups"]
        per_group = target["channels"] // op["groups"]
        kernel_w = op["window"]["kernel_w"]

        def taps_of(c):
            for k, w in enumerate(op["weights"]["rows"][c]):
                if w:
                    ky, kx = divmod(k // depth, kernel_w)
                    yield ky, kx, c // per_group * depth + k % depth, w

        return self.slide(op, source, target, taps_of)

    def depthwise_conv2d(self, op, source, target):
        multiplier = target["channels"] // source["channels"]
        kernel_w = op["window"]["kernel_w"]

        def taps_of(c):
            for k, w in enumerate(op["weights"]["rows"][c]):
                if w:
                    ky, kx = divmod(k, kernel_w)
                    yield ky, kx, c // multiplier, w

        return self.slide(op, source, target, taps_of)

    def pool(self, op, source, target, combine):
        window = op["window"]

        def inside(at, stride, before, kernel, size):
            start = at * stride - before
            return range(max(start, 0), min(start + kernel, size))

        def step(codes):
            result = []
            for y in range(target["height"]):
                ys = inside(y, window["stride_h"], window["top"], window["kernel_h"], source["height"])
                for x in range(target["width"]):
                    xs = inside(x, window["stride_w"], window["left"], window["kernel_w"], source["width"])
                    pixels = [(iy * source["width"] + ix) * source["channels"] for iy in ys for ix in xs]
                    for c in range(source["channels"]):
                        code = combine([codes[pixel + c] for pixel in pixels])
                        result.append(min(max(code, target["low"]), target["high"]))
            return result

        return step

    def max_pool2d(self, op, source, target):
        return self.pool(op, source, target, max)

    def average_pool2d(self, op, source, target):
        return self.pool(op, source, target, lambda codes: average(sum(codes), len(codes)))

    def global_average(self, op, source, target):
        def step(codes):
            n = source["channels"]
            sums = [sum(code - source["zero"] for code in codes[c::n]) for c in range(n)]
            return [self.finish(s, op["multipliers"][0], target) for s in sums]

        return step

    def add(self, op, source, target):
        zero_b = self.model["tensors"][op["inputs"][1]]["zero"]
        m_a, m_b, m_out = op["multipliers"]

        def step(a, b):
            result = []
            for x, y in zip(a, b):
                scaled = self.scale((x - source["zero"]) << 20, *m_a) + self.scale((y - zero_b) << 20, *m_b)
                result.append(self.finish(scaled, m_out, target))
            return result

        return step

    def clamp(self, op, source, target):
        return lambda codes: [min(max(code, target["low"]), target["high"]) for code in codes]

    def reshape(self, op, source, target):
        return lambda codes: list(codes)


# ---- images


def read_images(path, model, count):
    """Input codes per image from an IDX file: unsigned bytes are pixels, signed bytes are codes."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in (8, 9) or len(data) < 4 + 4 * data[3]:
        raise ModelError(f"{path}: not an IDX file of bytes")
    sides = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    size = model["tensors"][model["input"]]["size"]
    if math.prod(sides[1:]) != size or len(data) != 4 + 4 * data[3] + math.prod(sides):
        raise ModelError(f"{path}: images of {sides[1:]} do not match an input of {size} codes")
    images = sides[0] if count is None else min(count, sides[0])
    first = len(data) - math.prod(sides)
    for i in range(images):
        image = data[first + i * size : first + (i + 1) * size]
        if data[2] == 9:
            yield struct.unpack(f"<{size}b", image)
            continue
        tables = model["pixels"]
        if not tables:
            raise ModelError("the model has no pixel tables")
        yield [tables[k % len(tables)][pixel] for k, pixel in enumerate(image)]


def json_lines(model_path, images_path, count=None, all_tensors=False):
    """One JSON document per image."""
    with open(model_path, "rb") as file:
        interpreter = Interpreter(read_model(file.read()))
    for i, codes in enumerate(read_images(images_path, interpreter.model, count)):
        values = interpreter.run(codes)
        output = interpreter.output(values)
        line = {"image": i, "label": output.index(max(output)), "codes": output}
        if all_tensors:
            line["tensors"] = values
        yield json.dumps(line, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("images")
    parser.add_argument("--count", type=int)
    parser.add_argument("--all-tensors", action="store_true")
    arguments = parser.parse_args()
    for line in json_lines(arguments.model, arguments.images, arguments.count, arguments.all_tensors):
        print(line)


if __name__ == "__main__":
    try:
        main()
    except (ModelError, OSError) as error:
        sys.exit(f"pare_interpreter: {error}")
