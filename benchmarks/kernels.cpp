// Times training steps made of ops only (images/s), single layers (GFLOP/s of forward, input
// gradient and weight gradient) and passes over memory (GB/s). Prints the best of several
// repetitions: other work on the machine only ever adds time.
//
//   bench_kernels [seconds per line, default 1] [threads]
//
// With one thread it counts processor time, which holds on a busy machine too.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/ops/ops.h"

namespace pare {
namespace {

double seconds_per_line = 1;

double now() {
  timespec t;
  clock_gettime(thread_count() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Shortest time of one call, in seconds.
double best_time(const std::function<void()>& work) {
  work();
  double best = 1e30, total = 0;
  while (total < seconds_per_line) {
    const double start = now();
    work();
    const double time = now() - start;
    best = std::min(best, time);
    total += time;
  }
  return best;
}

Tensor random_tensor(const Shape& shape, float scale) {
  Random random(1, Stream::test, static_cast<std::uint64_t>(shape.size()));
  Tensor t = Tensor::persistent(shape);
  for (std::int64_t i = 0; i < t.size(); ++i) t.mutable_data()[i] = scale * random.uniform(-1, 1);
  return t;
}

// A weight with the two moments of Adam.
struct Weight {
  explicit Weight(const Shape& shape)
      : value(random_tensor(shape, 1.0f / std::sqrt(static_cast<float>(shape.size_from(1))))),
        m(Tensor::persistent(shape)),
        v(Tensor::persistent(shape)) {}

  Variable leaf() { return last = Variable(value, true); }

  void adam() {
    const Tensor g = last.take_grad();
    last = Variable();
    float *w = value.mutable_data(), *mean = m.mutable_data(), *square = v.mutable_data();
    parallel_tiles(value.size(), 16384, [&, d = g.data()](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        mean[i] = 0.9f * mean[i] + 0.1f * d[i];
        square[i] = 0.999f * square[i] + 0.001f * d[i] * d[i];
        w[i] -= 1e-5f * mean[i] / (std::sqrt(square[i]) + 1e-8f);
      }
    });
  }

  Tensor value, m, v;
  Variable last;
};

void print_speed(const char* name, std::int64_t batch, double seconds) {
  std::printf("%-44s %8.3f ms  %9.0f images/s\n", name, seconds * 1e3,
              static_cast<double>(batch) / seconds);
}

// Conv 32 3x3, ReLU, MaxPool 2, Flatten, Dense 128, ReLU, Dense 10 on 28x28x1.
void document_cnn(std::int64_t batch) {
  Weight w1(Shape{32, 3, 3, 1}), b1(Shape{32}), w2(Shape{128, 5408}), b2(Shape{128}),
      w3(Shape{10, 128}), b3(Shape{10});
  const Tensor images = random_tensor(Shape{batch, 28, 28, 1}, 1);
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(batch), 3);
  const double seconds = best_time([&] {
    const Variable c =
        relu(conv2d(Variable(images), w1.leaf(), b1.leaf(), Window{3, 3, 1, 1, 0, 0, 0, 0}));
    const Variable f = flatten(max_pool2d(c, Window{2, 2, 2, 2, 0, 0, 0, 0}));
    const Variable h = relu(dense(f, w2.leaf(), b2.leaf()));
    backward(softmax_cross_entropy(dense(h, w3.leaf(), b3.leaf()), labels));
    for (Weight* w : {&w1, &b1, &w2, &b2, &w3, &b3}) w->adam();
  });
  print_speed(("document CNN, batch " + std::to_string(batch)).c_str(), batch, seconds);
}

// Conv 32, BN, ReLU, Conv 64, BN, ReLU, MaxPool 2, Conv 64, BN, ReLU, MaxPool 2, Dense 128, Dense
// 10 on 28x28x1.
void batch_norm_cnn(std::int64_t batch) {
  const Window same{3, 3, 1, 1, 1, 1, 1, 1}, half{2, 2, 2, 2, 0, 0, 0, 0};
  struct Block {
    Weight w, scale, shift;
    Block(std::int64_t in, std::int64_t out)
        : w(Shape{out, 3, 3, in}), scale(Shape{out}), shift(Shape{out}) {}
  };
  Block c1(1, 32), c2(32, 64), c3(64, 64);
  Weight w4(Shape{128, 7 * 7 * 64}), w5(Shape{10, 128});
  const Tensor images = random_tensor(Shape{batch, 28, 28, 1}, 1);
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(batch), 3);
  const auto block = [&](const Variable& x, Block& b) {
    Tensor mean, variance;
    const Variable y = conv2d(x, b.w.leaf(), Variable(), same);
    return relu(batch_norm_train(y, b.scale.leaf(), b.shift.leaf(), 1e-3f, mean, variance));
  };
  const double seconds = best_time([&] {
    const Variable a = max_pool2d(block(Variable(images), c1), half);
    const Variable b = max_pool2d(block(block(a, c2), c3), half);
    const Variable h = relu(dense(flatten(b), w4.leaf(), Variable()));
    backward(softmax_cross_entropy(dense(h, w5.leaf(), Variable()), labels));
    for (Block* k : {&c1, &c2, &c3}) {
      for (Weight* w : {&k->w, &k->scale, &k->shift}) w->adam();
    }
    w4.adam();
    w5.adam();
  });
  print_speed(("batch-norm CNN, batch " + std::to_string(batch)).c_str(), batch, seconds);
}

// Gradient of y with respect to what it was made of, with dy = y.
Variable seed_gradient(const Variable& y) {
  return record("seed_gradient", Tensor::full(Shape{1}, 0), {y},
                [dy = y.value()](const Tensor&, Gradients& gradients) { gradients.give(0, dy); });
}

// GFLOP/s forward, then of each gradient alone.
void layer(const std::string& name, double flops, const Tensor& x, const Tensor& w,
           const std::function<Variable(const Variable&, const Variable&)>& op) {
  const double forward = best_time([&] { op(Variable(x), Variable(w)); });
  const auto with_gradient = [&](bool of_x) {
    return best_time([&] { backward(seed_gradient(op(Variable(x, of_x), Variable(w, !of_x)))); });
  };
  const double dx = with_gradient(true) - forward, dw = with_gradient(false) - forward;
  std::printf("%-44s %8.0f fwd %8.0f dx %8.0f dw  GFLOP/s  (%.0f us fwd)\n", name.c_str(),
              flops / forward * 1e-9, flops / dx * 1e-9, flops / dw * 1e-9, forward * 1e6);
}

void conv_layer(std::int64_t batch, std::int64_t extent, std::int64_t in, std::int64_t out,
                std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  const Window w{kernel, kernel, stride, stride, pad, pad, pad, pad};
  const std::int64_t e = w.out_h(extent);
  const double flops = 2.0 * static_cast<double>(batch * e * e * out * kernel * kernel * in);
  layer(
      "conv " + Shape{batch, extent, extent, in}.to_string() + " -> " + std::to_string(out) + ", " +
          std::to_string(kernel) + "x" + std::to_string(kernel) + " / " + std::to_string(stride),
      flops, random_tensor(Shape{batch, extent, extent, in}, 1),
      random_tensor(Shape{out, kernel, kernel, in}, 1),
      [w](const Variable& x, const Variable& weight) { return conv2d(x, weight, Variable(), w); });
}

void dense_layer(std::int64_t batch, std::int64_t in, std::int64_t out) {
  layer("dense " + Shape{batch, in}.to_string() + " -> " + std::to_string(out),
        2.0 * static_cast<double>(batch * in * out), random_tensor(Shape{batch, in}, 1),
        random_tensor(Shape{out, in}, 1),
        [](const Variable& x, const Variable& weight) { return dense(x, weight, Variable()); });
}

// Microseconds of forward, and of backward.
void pass(const std::string& name, const Tensor& x,
          const std::function<Variable(const Variable&)>& op) {
  const double forward = best_time([&] { op(Variable(x)); });
  const double both = best_time([&] { backward(seed_gradient(op(Variable(x, true)))); });
  std::printf("%-44s %8.0f us fwd %8.0f us bwd\n", (name + " " + x.shape().to_string()).c_str(),
              forward * 1e6, (both - forward) * 1e6);
}

void passes(const Tensor& x) {
  const std::int64_t C = x.shape()[-1];
  const Variable scale(Tensor::full(Shape{C}, 1), true), shift(Tensor::full(Shape{C}, 0), true);
  pass("relu", x, relu);
  pass("max pool 2", x, [](const Variable& v) {
    return max_pool2d(v, Window{2, 2, 2, 2, 0, 0, 0, 0});
  });
  pass("average pool 2", x, [](const Variable& v) {
    return average_pool2d(v, Window{2, 2, 2, 2, 0, 0, 0, 0});
  });
  pass("batch norm", x, [&](const Variable& v) {
    Tensor mean, variance;
    return batch_norm_train(v, scale, shift, 1e-3f, mean, variance);
  });
}

}  // namespace
}  // namespace pare

int main(int count, char** arguments) {
  if (count > 1) pare::seconds_per_line = std::atof(arguments[1]);
  if (count > 2) pare::set_thread_count(std::atoi(arguments[2]));
  std::printf("%d threads\n", pare::thread_count());
  pare::document_cnn(64);
  pare::document_cnn(128);
  pare::batch_norm_cnn(64);
  pare::batch_norm_cnn(128);
  pare::conv_layer(64, 28, 1, 32, 3, 1, 0);
  pare::conv_layer(64, 32, 3, 16, 3, 1, 1);
  pare::conv_layer(64, 28, 32, 64, 3, 1, 1);
  pare::conv_layer(64, 14, 64, 64, 3, 1, 1);
  pare::conv_layer(64, 14, 64, 64, 3, 2, 1);
  pare::conv_layer(64, 12, 20, 50, 5, 1, 0);
  pare::conv_layer(64, 16, 32, 64, 1, 1, 0);
  pare::conv_layer(1, 28, 32, 64, 3, 1, 1);
  pare::dense_layer(64, 5408, 128);
  pare::dense_layer(64, 784, 300);
  pare::dense_layer(128, 3136, 128);
  pare::dense_layer(64, 128, 10);
  pare::dense_layer(256, 2048, 1024);
  pare::passes(pare::random_tensor(pare::Shape{64, 26, 26, 32}, 1));
  pare::passes(pare::random_tensor(pare::Shape{64, 14, 14, 64}, 1));
  return 0;
}
