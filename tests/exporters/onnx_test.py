#!/usr/bin/env python3
"""ONNX files as this script reads and runs them, from the public definitions alone and with nothing
of ours: Protocol Buffers' wire format, onnx.proto's field numbers, the operators of opset 13.

usage: onnx_test.py BIN COUNT

COUNT random layers on any grid: the codes that come out may differ by one from the engine's. The
file must say what its shapes are, and every list of DequantizeLinear's scales must fit its axis.
"""

import pathlib
import struct
import subprocess
import sys
import tempfile

MULTIPLICATIONS = 400_000  # per image: more than this takes Python too long


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value - (1 << 64 if value >> 63 else 0), at


def fields(data):
    """{number: [int or bytes, ...]} of a message."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            assert key & 7 == 2, "a wire type that ONNX files do not need"
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.setdefault(key >> 3, []).append(value)
    return found


def text(message, field):
    return message.get(field, [b""])[-1].decode()


def constant(data):
    """(name, shape, values) of a TensorProto."""
    message = fields(data)
    letter = {1: "f", 2: "B", 3: "b", 6: "i", 7: "q"}[message[2][0]]
    shape, raw = message.get(1, []), message.get(9, [b""])[0]
    values = [v for (v,) in struct.iter_unpack("<" + letter, raw)]
    assert len(values) == size(shape), "the bytes are not those of the shape"
    return text(message, 8), (shape, values, letter == "B")


def attribute(data):
    message = fields(data)
    kind = message[20][0]
    return text(message, 1), message.get(8, []) if kind == 7 else message[3][0]


def port(data):
    """(name, sides behind the batch)"""
    message = fields(data)
    shape = fields(fields(fields(message[2][0])[1][0])[2][0])
    dims = [fields(d) for d in shape[1]]
    assert dims[0][2] == [b"N"]
    return text(message, 1), [d[1][0] for d in dims[1:]]


def size(shape):
    product = 1
    for side in shape:
        product *= side
    return product


def scales(x, scale, zero, attributes):
    """(scale, zero) of each element."""
    shape, count = x[0], len(scale[1])
    if scale[0] == []:
        return [(scale[1][0], zero[1][0])] * size(shape)
    axis = attributes.get("axis", 1)
    assert shape[axis] == count == len(zero[1])
    inner = size(shape[axis + 1:])
    return [(scale[1][i // inner % count], zero[1][i // inner % count]) for i in range(size(shape))]


def window(x, attributes, visit):
    """visit(channel, indices of the taps inside the image as (tap, index)) for every output."""
    _, channels, height, width = x[0]
    kernel, strides, pads = attributes["kernel_shape"], attributes["strides"], attributes["pads"]
    sides = [(side + pads[i] + pads[i + 2] - kernel[i]) // strides[i] + 1
             for i, side in enumerate((height, width))]
    pixels = []
    for y in range(sides[0]):
        for h in range(sides[1]):
            pixels.append([(v * kernel[1] + w, row * width + column)
                           for v in range(kernel[0]) for w in range(kernel[1])
                           for row in [y * strides[0] - pads[0] + v]
                           for column in [h * strides[1] - pads[1] + w]
                           if 0 <= row < height and 0 <= column < width])
    return sides, [[visit(c, taps) for taps in pixels] for c in range(channels)], pixels


def conv(x, weight, bias, attributes):
    outputs, inputs = weight[0][:2]
    groups, taps = attributes.get("group", 1), size(weight[0][2:])
    plane = size(x[0][2:])
    sides, _, pixels = window(([1, 0, *x[0][2:]], []), attributes, None)
    assert x[0][1] == inputs * groups
    found = []
    for o in range(outputs):
        first = o // (outputs // groups) * inputs
        for pixel in pixels:
            total = bias[1][o]
            for i in range(inputs):
                base, own = (first + i) * plane, (o * inputs + i) * taps
                total += sum(weight[1][own + t] * x[1][base + at] for t, at in pixel)
            found.append(total)
    return [1, outputs, *sides], found


def pool(x, attributes, reduce):
    plane = size(x[0][2:])
    sides, rows, _ = window(
        x, attributes, lambda c, taps: reduce([x[1][c * plane + at] for _, at in taps]))
    return [1, x[0][1], *sides], [v for row in rows for v in row]


def mean(values):
    return sum(values) / len(values)


def transposed(x, perm):
    shape, strides = x[0], [size(x[0][i + 1:]) for i in range(4)]
    sides = [shape[p] for p in perm]
    found = []
    for i in range(size(sides)):
        at, rest = 0, i
        for d in (3, 2, 1, 0):
            at += rest % sides[d] * strides[perm[d]]
            rest //= sides[d]
        found.append(x[1][at])
    return sides, found


def compute(kind, a, inputs):
    x = inputs[0]
    if kind == "DequantizeLinear":
        return x[0], [(v - z) * s for v, (s, z) in zip(x[1], scales(*inputs, a))]
    if kind == "QuantizeLinear":  # Python's round is half to even
        low = 0 if inputs[2][2] else -128
        return x[0], [max(low, min(low + 255, round(v / s) + z))
                      for v, (s, z) in zip(x[1], scales(*inputs, a))]
    if kind == "Conv":
        return conv(*inputs, a)
    if kind == "Gemm":
        assert a == {"transB": 1}
        rows, columns = inputs[1][0]
        return [1, rows], [inputs[2][1][r] + sum(map(float.__mul__, x[1], row))
                           for r in range(rows)
                           for row in [inputs[1][1][r * columns:(r + 1) * columns]]]
    if kind in ("MaxPool", "AveragePool"):
        return pool(x, a, max if kind == "MaxPool" else mean)
    if kind == "GlobalAveragePool":
        plane = size(x[0][2:])
        return x[0][:2] + [1, 1], [mean(x[1][c * plane:(c + 1) * plane]) for c in range(x[0][1])]
    if kind == "Add":
        return x[0], [u + v for u, v in zip(x[1], inputs[1][1])]
    if kind == "Relu":
        return x[0], [max(0.0, v) for v in x[1]]
    if kind == "Clip":
        return x[0], [max(inputs[1][1][0], min(inputs[2][1][0], v)) for v in x[1]]
    if kind == "Transpose":
        return transposed(x, a["perm"])
    if kind == "Reshape":
        return [old if new == 0 else new
                for new, old in zip(inputs[1][1], x[0] + [1, 1])], x[1]
    if kind == "Flatten":
        return [1, size(x[0])], x[1]
    assert kind == "Identity", kind
    return x


class Model:
    def __init__(self, data):
        whole = fields(data)
        assert whole[1] == [8] and fields(whole[8][0]) == {2: [13]}
        graph = fields(whole[7][0])
        self.values = dict(constant(c) for c in graph.get(5, []))
        self.nodes = [fields(n) for n in graph[1]]
        (self.input, self.sides), (self.output, self.output_sides) = (
            port(graph[11][0]), port(graph[12][0]))

    def multiplications(self):
        """About the most there can be: every weight at every input pixel."""
        plane = size(self.sides[:2])
        return max((size(v[0]) * plane for v in self.values.values()), default=0)

    def run(self, codes):
        values = {**self.values, self.input: ([1, *self.sides], codes)}
        for node in self.nodes:
            inputs = [values[name.decode()] for name in node[1]]
            attributes = dict(attribute(a) for a in node.get(5, []))
            shape, found = compute(text(node, 4), attributes, inputs)
            assert len(found) == size(shape)
            values[text(node, 2)] = (shape, found)
        shape, found = values[self.output]
        assert shape == [1, *self.output_sides]
        return found


def main():
    tool, count = pathlib.Path(sys.argv[1]).resolve() / "export_random_files", int(sys.argv[2])
    compared = differing = run = 0
    kinds = set()
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([str(tool), "onnx", name, str(count)], check=True)
        for i in range(count):
            stem = pathlib.Path(name) / f"r{i}"
            model = Model(stem.with_suffix(".onnx").read_bytes())
            if model.multiplications() > MULTIPLICATIONS:
                continue
            run += 1
            kinds.update(text(node, 4) for node in model.nodes)
            inputs, outputs = (struct.unpack(f"{len(d)}b", d) for d in (
                stem.with_suffix(".in").read_bytes(), stem.with_suffix(".out").read_bytes()))
            found = model.run(list(inputs[:size(model.sides)]))
            distances = [abs(f - o) for f, o in zip(found, outputs)]
            if max(distances) > 1:
                sys.exit(f"program {i}: a code differs by {max(distances)} from the engine's")
            compared += len(distances)
            differing += sum(d != 0 for d in distances)
    print(f"{run} of {count} programs run, {differing} of {compared} codes differ by one; "
          f"operators: {', '.join(sorted(kinds))}")
    missing = {"Conv", "Gemm", "MaxPool", "AveragePool", "GlobalAveragePool", "Add", "Clip"} - kinds
    if missing or run < count // 2 or differing > compared // 20:
        sys.exit(f"too little was tried, or too many codes differ; never seen: {missing}")


if __name__ == "__main__":
    main()
