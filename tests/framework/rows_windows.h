// Rows of op_table.h for dense layers, convolutions and pools. Included by op_table_test.cpp only.
#pragma once

#include "tests/framework/op_table.h"

namespace pare::testing {

inline OpCase dense_case(const reference::DenseShape& s, bool bias, Random& random) {
  OpCase c;
  c.what = Shape{s.batch, s.in, s.out}.to_string() + (bias ? "" : ", no bias");
  c.shapes = {Shape{s.batch, s.in}, Shape{s.out, s.in}};
  if (bias) c.shapes.push_back(Shape{s.out});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [bias](const auto& v) { return dense(v[0], v[1], bias ? v[2] : Variable()); };
  c.forward = [=](const Inputs& in) {
    return reference::dense(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::dense_backward(s, in[0], in[1], dy);
  };
  return c;
}

inline OpRow dense_row() {
  OpRow row{
      "dense", {}, [](Random& r) {
        const reference::DenseShape s{between(1, 70, r), between(1, 300, r), between(1, 140, r)};
        return dense_case(s, r.below(4) > 0, r);
      }};
  const std::vector<reference::DenseShape> shapes = {
      {1, 1, 1},  {1, 7, 3}, {3, 1, 5},  {5, 3, 1},  {2, 17, 2}, {7, 5, 3},
      {1, 33, 1}, {4, 4, 4}, {2, 3, 19}, {13, 2, 2}, {3, 11, 7}, {1, 16, 16}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    row.small.push_back([s = shapes[i], i](Random& r) { return dense_case(s, i % 3 != 2, r); });
  }
  // Sums of more terms than kernels/dense.cpp takes at a time, for few rows and for many.
  for (const reference::DenseShape& s :
       {reference::DenseShape{3, 1100, 5}, {20, 1100, 9}, {3, 9, 1100}, {20, 7, 1100}}) {
    row.large.push_back([s](Random& r) { return dense_case(s, true, r); });
  }
  return row;
}

inline ConvShape conv_shape(const ImageShape& image, std::int64_t out_channels,
                            std::int64_t groups) {
  ConvShape s;
  static_cast<ImageShape&>(s) = image;
  s.out_channels = out_channels;
  s.groups = groups;
  return s;
}

inline OpCase conv_case(const ConvShape& s, bool bias, Random& random) {
  const Window w = s.window;
  OpCase c;
  c.what = text(s) + ", out " + std::to_string(s.out_channels) + ", groups " +
           std::to_string(s.groups) + (bias ? "" : ", no bias");
  c.shapes = {x_shape(s), Shape{s.out_channels, w.kernel_h, w.kernel_w, s.group_channels()}};
  if (bias) c.shapes.push_back(Shape{s.out_channels});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [=](const auto& v) { return conv2d(v[0], v[1], bias ? v[2] : Variable(), w, s.groups); };
  c.forward = [=](const Inputs& in) {
    return reference::conv2d(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::conv2d_backward(s, in[0], in[1], dy);
  };
  return c;
}

inline OpCase depthwise_case(const ConvShape& s, bool bias, Random& random) {
  const Window w = s.window;
  OpCase c;
  c.what = text(s) + ", out " + std::to_string(s.out_channels) + (bias ? "" : ", no bias");
  c.shapes = {x_shape(s), Shape{1, w.kernel_h, w.kernel_w, s.out_channels}};
  if (bias) c.shapes.push_back(Shape{s.out_channels});
  for (const Shape& shape : c.shapes) c.inputs.push_back(random_values(shape.size(), random));
  c.op = [=](const auto& v) { return depthwise_conv2d(v[0], v[1], bias ? v[2] : Variable(), w); };
  c.forward = [=](const Inputs& in) {
    return reference::depthwise_conv2d(s, in[0], in[1], bias ? in[2] : Values());
  };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return reference::depthwise_conv2d_backward(s, in[0], in[1], dy);
  };
  return c;
}

// Batch, height, width, channels, then the window as kernel, stride, pads.
inline const std::vector<ImageShape>& small_images() {
  static const std::vector<ImageShape> images = {
      {1, 1, 1, 1, {1, 1, 1, 1, 0, 0, 0, 0}},   // everything is one
      {1, 5, 7, 2, {3, 3, 1, 1, 0, 0, 0, 0}},   // valid
      {2, 5, 3, 1, {3, 3, 1, 1, 1, 1, 1, 1}},   // same
      {1, 7, 5, 2, {2, 3, 2, 2, 0, 1, 0, 1}},   // stride 2, pads in one direction
      {1, 7, 7, 1, {2, 2, 3, 3, 0, 0, 0, 0}},   // stride > kernel: pixels that nobody reads
      {3, 3, 5, 2, {1, 1, 1, 1, 0, 0, 0, 0}},   // pointwise
      {1, 5, 5, 2, {1, 1, 2, 3, 0, 0, 0, 0}},   // pointwise, strided
      {1, 4, 6, 2, {4, 6, 1, 1, 0, 0, 0, 0}},   // the window is the image
      {2, 2, 3, 2, {3, 3, 2, 1, 2, 2, 1, 0}},   // the kernel is larger than the image
      {1, 6, 5, 4, {3, 2, 2, 1, 1, 0, 2, 1}},   // pads differ on every side
      {2, 1, 11, 2, {1, 5, 1, 2, 0, 4, 0, 3}},  // one row
      {1, 11, 1, 4, {5, 1, 3, 1, 2, 0, 4, 0}},  // one column
      {1, 4, 4, 2, {2, 2, 2, 2, 0, 0, 0, 0}},   // windows tile the image
      {1, 5, 5, 2, {3, 3, 2, 2, 0, 0, 0, 0}},   // overlap
      {5, 3, 3, 6, {2, 2, 1, 1, 1, 1, 0, 0}},   // `same` of an even kernel, other way round
  };
  return images;
}

// More images than a weight gradient has chunks (a multiple of them, and some more), and as many
// channels as ResNet-20 has.
inline const std::vector<ImageShape>& large_images() {
  static const std::vector<ImageShape> images = {
      {64, 3, 3, 2, {2, 2, 1, 1, 0, 1, 0, 1}},   // direct, several images to a block of pixels
      {40, 11, 9, 3, {3, 3, 1, 1, 1, 1, 1, 1}},  // direct, two blocks to a chunk
      {37, 5, 4, 9, {3, 3, 1, 1, 1, 1, 1, 1}},   // minimal filtering
      {2, 6, 5, 64, {3, 3, 1, 1, 1, 1, 1, 1}},   // likewise
      {33, 4, 3, 64, {3, 2, 2, 1, 1, 0, 1, 0}},  // direct
  };
  return images;
}

// 3 x 3, stride 1 and enough channels: the form that has kernels of its own (kernels/winograd.h).
inline ConvShape random_winograd_shape(Random& r) {
  ImageShape image{between(1, 5, r), between(4, 19, r), between(4, 19, r), between(8, 40, r), {}};
  image.window = {
      3, 3, 1, 1, between(0, 2, r), between(0, 2, r), between(0, 2, r), between(0, 2, r)};
  return conv_shape(image, between(8, 75, r), 1);
}

inline OpRow conv_row() {
  OpRow row{"conv2d", {}, [](Random& r) {
              if (r.below(3) == 0) return conv_case(random_winograd_shape(r), r.below(4) > 0, r);
              const std::int64_t groups = r.below(3) ? 1 : between(1, 4, r);
              ImageShape image = random_image(r, 40, false);
              if (groups > 1) image.channels = groups * between(1, 9, r);
              return conv_case(conv_shape(image, groups * between(1, 75 / groups, r), groups),
                               r.below(4) > 0, r);
            }};
  for (std::size_t i = 0; i < small_images().size(); ++i) {
    const ImageShape& image = small_images()[i];
    const std::int64_t groups = i % 4 == 3 ? image.channels : i == 14 ? 3 : 1;
    const ConvShape s = conv_shape(image, groups * (i % 3 + 1), groups);
    row.small.push_back([=](Random& r) { return conv_case(s, i % 5 != 2, r); });
  }
  for (const ImageShape& image : large_images()) {
    const ConvShape s = conv_shape(image, std::max<std::int64_t>(image.channels, 8), 1);
    row.large.push_back([s](Random& r) { return conv_case(s, true, r); });
  }
  return row;
}

inline OpRow depthwise_row() {
  OpRow row{"depthwise_conv2d", {}, [](Random& r) {
              const ImageShape image = random_image(r, 40, false);
              return depthwise_case(conv_shape(image, image.channels * between(1, 3, r), 1),
                                    r.below(4) > 0, r);
            }};
  for (std::size_t i = 0; i < small_images().size(); ++i) {
    const ImageShape& image = small_images()[i];
    const ConvShape s = conv_shape(image, image.channels * (i % 3 == 1 ? 2 : 1), 1);
    row.small.push_back([=](Random& r) { return depthwise_case(s, i % 5 != 2, r); });
  }
  for (const ImageShape& image : large_images()) {
    const ConvShape s = conv_shape(image, image.channels * (image.batch % 2 + 1), 1);
    row.large.push_back([s](Random& r) { return depthwise_case(s, true, r); });
  }
  return row;
}

// Distinct values at least 1/16 apart, so that a small step changes no order.
inline Values distinct_values(std::int64_t count, Random& random) {
  Values values;
  for (const std::int32_t i : permutation(count, Random(random.bits(), Stream::test))) {
    values.push_back((i - count / 2) * 0.0625);
  }
  return values;
}

inline OpCase pool_case(const ImageShape& s, const std::string& op, Random& random) {
  OpCase c;
  c.what = text(s);
  c.shapes = {x_shape(s)};
  c.inputs = {distinct_values(c.shapes[0].size(), random)};
  if (op == "max_pool2d") {
    c.op = [w = s.window](const auto& v) { return max_pool2d(v[0], w); };
    c.forward = [s](const Inputs& in) { return reference::max_pool2d(s, in[0]); };
    c.backward = [s](const Inputs& in, const Values& dy) {
      return reference::max_pool2d_backward(s, in[0], dy);
    };
    return c;
  }
  const bool global = op == "global_average_pool2d";
  const ImageShape shape = global ? reference::whole_image(s) : s;
  c.op = [=](const auto& v) {
    return global ? global_average_pool2d(v[0]) : average_pool2d(v[0], s.window);
  };
  c.forward = [=](const Inputs& in) { return reference::average_pool2d(shape, in[0]); };
  c.backward = [=](const Inputs&, const Values& dy) {
    return reference::average_pool2d_backward(shape, dy);
  };
  return c;
}

inline OpRow pool_row(const std::string& op) {
  OpRow row{op, {}, [op](Random& r) { return pool_case(random_image(r, 70, true), op, r); }};
  for (ImageShape image : small_images()) {
    Window& w = image.window;
    w.pad_top = std::min(w.pad_top, w.kernel_h - 1);
    w.pad_bottom = std::min(w.pad_bottom, w.kernel_h - 1);
    w.pad_left = std::min(w.pad_left, w.kernel_w - 1);
    w.pad_right = std::min(w.pad_right, w.kernel_w - 1);
    row.small.push_back([=](Random& r) { return pool_case(image, op, r); });
  }
  return row;
}

// A convolution with a max pool behind it.
inline OpCase conv_pool_case(const ConvShape& s, const Window& pool, Random& random) {
  const OpCase first = conv_case(s, random.below(4) > 0, random);
  const ImageShape p{s.batch, s.out_h(), s.out_w(), s.out_channels, pool};
  OpCase c = first;
  c.what += ", pool " + text(p);
  const bool bias = c.shapes.size() == 3;
  c.op = [=](const auto& v) {
    return conv2d_max_pool2d(v[0], v[1], bias ? v[2] : Variable(), s.window, s.groups, pool);
  };
  c.forward = [=](const Inputs& in) { return reference::max_pool2d(p, first.forward(in)); };
  c.backward = [=](const Inputs& in, const Values& dy) {
    return first.backward(in, reference::max_pool2d_backward(p, first.forward(in), dy)[0]);
  };
  return c;
}

// A pool that fits what a convolution puts out: overlapping, touching, apart, padded in turn.
inline Window pool_of(const ConvShape& s, std::size_t i) {
  static const std::vector<Window> windows = {{2, 2, 2, 2, 0, 0, 0, 0},
                                              {3, 2, 1, 2, 1, 0, 1, 1},
                                              {1, 1, 2, 2, 0, 0, 0, 0},
                                              {2, 3, 3, 2, 0, 1, 0, 1}};
  Window w = windows[i % windows.size()];
  const bool fits = s.out_h() + w.pad_top + w.pad_bottom >= w.kernel_h &&
                    s.out_w() + w.pad_left + w.pad_right >= w.kernel_w;
  if (!fits) w = Window{};
  return w;
}

inline OpRow conv_pool_row() {
  OpRow row{"conv2d_max_pool2d", {}, [](Random& r) {
              const ConvShape s = conv_shape(random_image(r, 20, false), between(1, 40, r), 1);
              return conv_pool_case(s, pool_of(s, r.below(4)), r);
            }};
  for (std::size_t i = 0; i < small_images().size(); ++i) {
    const ConvShape s = conv_shape(small_images()[i], i % 3 + 1, 1);
    row.small.push_back([=](Random& r) { return conv_pool_case(s, pool_of(s, i), r); });
  }
  return row;
}

}  // namespace pare::testing
