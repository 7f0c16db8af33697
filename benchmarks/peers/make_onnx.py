#!/usr/bin/env python3
"""The five networks of `bench infer` as ONNX models with random weights, for engines that read those.

    make_onnx.py FOLDER

Writes N1_fp32.onnx, N1_int8.onnx, ... N5_int8.onnx. The int8 models are in QDQ form: every edge between
layers, that around Flatten too, passes through QuantizeLinear and DequantizeLinear (unsigned activations,
signed weights with a scale per channel, int32 biases), which engines fuse to integer layers. An edge without
them would leave its layer in floating point.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SCALE = 0.02
IMAGES = {"N1": (1, 28, 28), "N2": (1, 28, 28), "N3": (1, 28, 28), "N4": (3, 32, 32), "N5": (3, 32, 32)}


class Model:
    """Grows a graph node by node; methods take and return names of edges."""

    def __init__(self, integer):
        self.integer = integer
        self.nodes, self.constants = [], []
        self.random = np.random.default_rng(0)

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, inputs, **attributes):
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"{name}_node", **attributes))
        return name

    def grid(self, edge, zero):
        if not self.integer:
            return edge
        scale, zero = self.constant(np.float32(SCALE)), self.constant(np.uint8(zero))
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [edge, scale, zero]), scale, zero])

    def weight_and_bias(self, shape, fan_in, axis):
        weight = self.random.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        outputs = shape[axis]
        if not self.integer:
            return self.constant(weight), self.constant(np.zeros(outputs, np.float32))
        others = tuple(i for i in range(len(shape)) if i != axis)
        scales = (np.abs(weight).max(axis=others) / 127).astype(np.float32)
        broadcast = [-1 if i == axis else 1 for i in range(len(shape))]
        codes = np.clip(np.rint(weight / scales.reshape(broadcast)), -127, 127).astype(np.int8)
        zeros = np.zeros(outputs, np.int8)
        weight = self.node("DequantizeLinear",
                           [self.constant(codes), self.constant(scales), self.constant(zeros)], axis=axis)
        bias = self.node("DequantizeLinear",
                         [self.constant(np.zeros(outputs, np.int32)),
                          self.constant((SCALE * scales).astype(np.float32)),
                          self.constant(np.zeros(outputs, np.int32))], axis=0)
        return weight, bias

    def finish(self, edge, relu):
        return self.grid(self.node("Relu", [edge]) if relu else edge, 0 if relu else 128)

    def conv(self, edge, inputs, filters, size, stride=1, pad=0, relu=True):
        weight, bias = self.weight_and_bias((filters, inputs, size, size), inputs * size * size, 0)
        edge = self.node("Conv", [edge, weight, bias], kernel_shape=[size, size], strides=[stride, stride],
                         pads=[pad] * 4)
        return self.finish(edge, relu)

    def dense(self, edge, inputs, units, relu=True):
        weight, bias = self.weight_and_bias((inputs, units), inputs, 1)
        return self.finish(self.node("Gemm", [edge, weight, bias]), relu)

    def pool(self, edge, zero=0):
        return self.grid(self.node("MaxPool", [edge], kernel_shape=[2, 2], strides=[2, 2]), zero)

    def flatten(self, edge, zero=0):
        return self.grid(self.node("Flatten", [edge]), zero)

    def residual(self, edge, inputs, filters, stride):
        main = self.conv(edge, inputs, filters, 3, stride, 1)
        main = self.conv(main, filters, filters, 3, 1, 1, relu=False)
        if stride != 1:
            edge = self.conv(edge, inputs, filters, 1, stride, relu=False)
        return self.finish(self.node("Add", [main, edge]), True)


def lenet_300_100(m, x):
    x = m.dense(m.dense(m.flatten(x), 784, 300), 300, 100)
    return m.dense(x, 100, 10, relu=False)


def document_cnn(m, x):
    x = m.flatten(m.pool(m.conv(x, 1, 32, 3)))
    return m.dense(m.dense(x, 5408, 128), 128, 10, relu=False)


def lenet_5(m, x):
    x = m.pool(m.conv(x, 1, 20, 5, relu=False), 128)
    x = m.flatten(m.pool(m.conv(x, 20, 50, 5, relu=False), 128), 128)
    return m.dense(m.dense(x, 800, 500), 500, 10, relu=False)


def cifar_cnn(m, x):
    x = m.pool(m.conv(x, 3, 16, 3, 1, 1))
    x = m.flatten(m.pool(m.conv(x, 16, 32, 3, 1, 1)))
    return m.dense(m.dense(x, 2048, 1024), 1024, 10, relu=False)


def resnet_20(m, x):
    x, channels = m.conv(x, 3, 16, 3, 1, 1), 16
    for filters in (16, 32, 64):
        for block in range(3):
            x = m.residual(x, channels, filters, 2 if filters > 16 and block == 0 else 1)
            channels = filters
    x = m.flatten(m.grid(m.node("GlobalAveragePool", [x]), 0))
    return m.dense(x, 64, 10, relu=False)


NETS = {"N1": lenet_300_100, "N2": document_cnn, "N3": lenet_5, "N4": cifar_cnn, "N5": resnet_20}


def write(folder, net, precision):
    model = Model(precision == "int8")
    output = NETS[net](model, model.grid("x", 0))
    graph = helper.make_graph(
        model.nodes, net, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *IMAGES[net]])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 10])], model.constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    proto.ir_version = 8
    onnx.checker.check_model(proto)
    onnx.save(proto, str(folder / f"{net}_{precision}.onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name in NETS:
        for kind in ("fp32", "int8"):
            write(target, name, kind)
