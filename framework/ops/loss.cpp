// Softmax and the losses. They touch a few values per image, so they run in double and in one
// thread.
#include <algorithm>
#include <cmath>
#include <string>

#include "framework/ops/ops.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

// exp(x - max) / sum into y; returns log of the sum plus max, so that log softmax(x)_c = x_c -
// result.
double softmax_row(const float* x, std::int64_t classes, float* y) {
  const double largest = *std::max_element(x, x + classes);
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(x[c] - largest);
  for (std::int64_t c = 0; c < classes; ++c) {
    y[c] = static_cast<float>(std::exp(x[c] - largest) / sum);
  }
  return largest + std::log(sum);
}

// The labels of a batch of logits [batch, classes], checked.
StepVector<std::int32_t> checked_labels(const Variable& x, std::span<const std::int32_t> labels) {
  PARE_ENSURE(x.shape().rank() == 2 && x.shape()[0] == static_cast<std::int64_t>(labels.size()));
  PARE_ENSURE(!labels.empty());
  const std::int64_t classes = x.shape()[1];
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= classes) {
      throw DataError("label " + std::to_string(label) + ": expected 0 to " +
                      std::to_string(classes - 1) +
                      "; give the last layer as many outputs as the data set has classes");
    }
  }
  return {labels.begin(), labels.end()};
}

}  // namespace

Variable softmax(const Variable& x) {
  PARE_ENSURE(x.shape().rank() >= 1 && x.shape()[-1] > 0);
  const std::int64_t classes = x.shape()[-1];
  const std::int64_t rows = x.value().size() / classes;
  Tensor y(x.shape());
  float* out = y.mutable_data();
  for (std::int64_t r = 0; r < rows; ++r) {
    softmax_row(x.value().data() + r * classes, classes, out + r * classes);
  }
  return record("softmax", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float *d = dy.data() + r * classes, *p = y.data() + r * classes;
      double dot = 0;
      for (std::int64_t c = 0; c < classes; ++c) dot += double{d[c]} * p[c];
      for (std::int64_t c = 0; c < classes; ++c) {
        const auto gradient = static_cast<float>(p[c] * (d[c] - dot));
        dx[r * classes + c] = gradient + (beta == 0 ? 0.0f : dx[r * classes + c]);
      }
    }
  });
}

Variable softmax_cross_entropy(const Variable& logits, std::span<const std::int32_t> labels,
                               float smoothing) {
  const StepVector<std::int32_t> truth = checked_labels(logits, labels);
  const std::int64_t classes = logits.shape()[1];
  const auto batch = static_cast<std::int64_t>(truth.size());
  const auto target = [=](std::int64_t c, std::int32_t label) {
    return (c == label ? 1.0 - smoothing : 0.0) + smoothing / static_cast<double>(classes);
  };

  Tensor probabilities(logits.shape());
  double total = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    const float* x = logits.value().data() + b * classes;
    const double log_sum = softmax_row(x, classes, probabilities.mutable_data() + b * classes);
    for (std::int64_t c = 0; c < classes; ++c) {
      total -= target(c, truth[static_cast<std::size_t>(b)]) * (x[c] - log_sum);
    }
  }
  Tensor loss = Tensor::full(Shape{1}, static_cast<float>(total / static_cast<double>(batch)));

  return record("softmax_cross_entropy", loss, {logits}, [=](const Tensor& dy, Gradients& g) {
    const auto [dx, beta] = g.slot(0);
    const double factor = dy.item() / static_cast<double>(batch);
    for (std::int64_t i = 0; i < batch * classes; ++i) {
      const std::int32_t label = truth[static_cast<std::size_t>(i / classes)];
      const double d = (probabilities.data()[i] - target(i % classes, label)) * factor;
      dx[i] = static_cast<float>(d) + (beta == 0 ? 0.0f : dx[i]);
    }
  });
}

Variable mean_squared_error(const Variable& x, std::span<const std::int32_t> labels) {
  const StepVector<std::int32_t> truth = checked_labels(x, labels);
  const std::int64_t classes = x.shape()[1];
  const std::int64_t size = x.value().size();
  const Tensor xv = x.value();
  const auto difference = [=](std::int64_t i) {
    const bool hit = i % classes == truth[static_cast<std::size_t>(i / classes)];
    return double{xv.data()[i]} - (hit ? 1.0 : 0.0);
  };
  double total = 0;
  for (std::int64_t i = 0; i < size; ++i) total += difference(i) * difference(i);
  Tensor loss = Tensor::full(Shape{1}, static_cast<float>(total / static_cast<double>(size)));

  return record("mean_squared_error", loss, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    const double factor = 2.0 * dy.item() / static_cast<double>(size);
    for (std::int64_t i = 0; i < size; ++i) {
      const auto d = static_cast<float>(difference(i) * factor);
      dx[i] = d + (beta == 0 ? 0.0f : dx[i]);
    }
  });
}

Variable distillation_loss(const Variable& logits, const Tensor& teacher, double temperature) {
  PARE_ENSURE(logits.shape().rank() == 2 && logits.shape() == teacher.shape() && temperature > 0);
  const std::int64_t classes = logits.shape()[1], batch = logits.shape()[0];
  const auto divided = [&](const float* row) {
    StepVector<float> x(row, row + classes);
    for (float& value : x) value = static_cast<float>(value / temperature);
    return x;
  };
  Tensor target(logits.shape()), found(logits.shape());
  double total = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    const StepVector<float> t = divided(teacher.data() + b * classes);
    const StepVector<float> s = divided(logits.value().data() + b * classes);
    float* p = target.mutable_data() + b * classes;
    const double t_sum = softmax_row(t.data(), classes, p);
    const double s_sum = softmax_row(s.data(), classes, found.mutable_data() + b * classes);
    for (std::size_t c = 0; c < t.size(); ++c) total += p[c] * ((t[c] - t_sum) - (s[c] - s_sum));
  }
  const double mean = temperature * temperature * total / static_cast<double>(batch);
  const auto backward = [=](const Tensor& dy, Gradients& g) {
    const auto [dx, beta] = g.slot(0);
    const double factor = dy.item() * temperature / static_cast<double>(batch);
    for (std::int64_t i = 0; i < batch * classes; ++i) {
      const double d = (double{found.data()[i]} - target.data()[i]) * factor;
      dx[i] = static_cast<float>(d) + (beta == 0 ? 0.0f : dx[i]);
    }
  };
  return record("distillation_loss", Tensor::full(Shape{1}, static_cast<float>(mean)), {logits},
                backward);
}

}  // namespace pare
