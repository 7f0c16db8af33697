// Reference kernels of softmax and the losses: plain loops on a scalar type, the definition of what
// the fast kernels compute. Logits are [batch, classes]; labels are class numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace pare::reference {

// exp(x - max) / sum exp(x - max), for each row.
template <class T>
std::vector<T> softmax(std::int64_t classes, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  for (std::size_t row = 0; row < x.size(); row += classes) {
    const T largest = *std::max_element(&x[row], &x[row] + classes);
    T sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += y[row + c] = std::exp(x[row + c] - largest);
    for (std::int64_t c = 0; c < classes; ++c) y[row + c] /= sum;
  }
  return y;
}

// dx_c = y_c * (dy_c - sum_k dy_k * y_k), for each row.
template <class T>
std::vector<std::vector<T>> softmax_backward(std::int64_t classes, const std::vector<T>& x,
                                             const std::vector<T>& dy) {
  const std::vector<T> y = softmax(classes, x);
  std::vector<T> dx(x.size());
  for (std::size_t row = 0; row < x.size(); row += classes) {
    T dot = 0;
    for (std::int64_t c = 0; c < classes; ++c) dot += dy[row + c] * y[row + c];
    for (std::int64_t c = 0; c < classes; ++c) dx[row + c] = y[row + c] * (dy[row + c] - dot);
  }
  return {dx};
}

// (1 - smoothing) * one_hot + smoothing / classes
template <class T>
T smoothed_target(std::int64_t c, std::int32_t label, T smoothing, std::int64_t classes) {
  return (c == label ? T(1) - smoothing : T(0)) + smoothing / T(classes);
}

// Mean over the batch of -sum_c target_c * log softmax(x)_c. One element.
template <class T>
std::vector<T> softmax_cross_entropy(std::int64_t classes, const std::vector<T>& x,
                                     const std::vector<std::int32_t>& labels, T smoothing) {
  T total = 0;
  for (std::size_t b = 0; b < labels.size(); ++b) {
    const T* row = &x[b * classes];
    const T largest = *std::max_element(row, row + classes);
    T sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(row[c] - largest);
    for (std::int64_t c = 0; c < classes; ++c) {
      total -=
          smoothed_target(c, labels[b], smoothing, classes) * (row[c] - largest - std::log(sum));
    }
  }
  return {total / T(labels.size())};
}

// dx = (softmax(x) - target) / batch * dy
template <class T>
std::vector<std::vector<T>> softmax_cross_entropy_backward(std::int64_t classes,
                                                           const std::vector<T>& x,
                                                           const std::vector<std::int32_t>& labels,
                                                           T smoothing, const std::vector<T>& dy) {
  std::vector<T> dx = softmax(classes, x);
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % classes;
    dx[i] = (dx[i] - smoothed_target(c, labels[i / classes], smoothing, classes)) /
            T(labels.size()) * dy[0];
  }
  return {dx};
}

// Mean over batch and classes of (x - one_hot)^2. One element.
template <class T>
std::vector<T> mean_squared_error(std::int64_t classes, const std::vector<T>& x,
                                  const std::vector<std::int32_t>& labels) {
  T total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % classes;
    const T d = x[i] - T(c == labels[i / classes] ? 1 : 0);
    total += d * d;
  }
  return {total / T(x.size())};
}

// dx = 2 * (x - one_hot) / (batch * classes) * dy
template <class T>
std::vector<std::vector<T>> mean_squared_error_backward(std::int64_t classes,
                                                        const std::vector<T>& x,
                                                        const std::vector<std::int32_t>& labels,
                                                        const std::vector<T>& dy) {
  std::vector<T> dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % classes;
    dx[i] = T(2) * (x[i] - T(c == labels[i / classes] ? 1 : 0)) / T(x.size()) * dy[0];
  }
  return {dx};
}

template <class T>
std::vector<T> divided(std::vector<T> x, T by) {
  for (T& value : x) value /= by;
  return x;
}

// Mean over the batch of T^2 sum_c p_c log(p_c / q_c). One element.
template <class T>
std::vector<T> distillation_loss(std::int64_t classes, const std::vector<T>& x,
                                 const std::vector<T>& teacher, T temperature) {
  const std::vector<T> p = softmax(classes, divided(teacher, temperature));
  const std::vector<T> q = softmax(classes, divided(x, temperature));
  T total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += p[i] * std::log(p[i] / q[i]);
  return {temperature * temperature * total * T(classes) / T(x.size())};
}

// dx = T (q - p) / batch * dy
template <class T>
std::vector<std::vector<T>> distillation_loss_backward(std::int64_t classes,
                                                       const std::vector<T>& x,
                                                       const std::vector<T>& teacher,
                                                       T temperature, const std::vector<T>& dy) {
  const std::vector<T> p = softmax(classes, divided(teacher, temperature));
  std::vector<T> dx = softmax(classes, divided(x, temperature));
  for (std::size_t i = 0; i < dx.size(); ++i) {
    dx[i] = temperature * (dx[i] - p[i]) * T(classes) / T(x.size()) * dy[0];
  }
  return {dx};
}

}  // namespace pare::reference
