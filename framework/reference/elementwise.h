// Reference kernels of activations, add and dropout: plain loops on a scalar type, the definition
// of what the fast kernels compute. Each activation is a pair of scalar functions: its value, and
// its derivative from input and value.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace pare::reference {

// max(x, 0), and a NaN stays one. At the kink the derivative is 0.
struct Relu {
  template <class T>
  static T value(T x) {
    return x <= T(0) ? T(0) : x;
  }
  template <class T>
  static T derivative(T x, T) {
    return x <= T(0) ? T(0) : T(1);
  }
};

// min(max(x, 0), 6), and a NaN stays one. At both kinks the derivative is 0.
struct Relu6 {
  template <class T>
  static T value(T x) {
    return x <= T(0) ? T(0) : x >= T(6) ? T(6) : x;
  }
  template <class T>
  static T derivative(T x, T) {
    return x <= T(0) || x >= T(6) ? T(0) : T(1);
  }
};

struct Sigmoid {
  template <class T>
  static T value(T x) {
    return T(1) / (T(1) + std::exp(-x));
  }
  template <class T>
  static T derivative(T, T y) {
    return y * (T(1) - y);
  }
};

struct Tanh {
  template <class T>
  static T value(T x) {
    return std::tanh(x);
  }
  template <class T>
  static T derivative(T, T y) {
    return T(1) - y * y;
  }
};

template <class Activation, class T>
std::vector<T> activate(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = Activation::value(x[i]);
  return y;
}

template <class Activation, class T>
std::vector<std::vector<T>> activate_backward(const std::vector<T>& x, const std::vector<T>& dy) {
  std::vector<T> dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    dx[i] = dy[i] * Activation::derivative(x[i], Activation::value(x[i]));
  }
  return {dx};
}

template <class T>
std::vector<T> add(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = a[i] + b[i];
  return y;
}

template <class T>
std::vector<std::vector<T>> add_backward(const std::vector<T>& dy) {
  return {dy, dy};
}

template <class T>
std::vector<T> weighted_sum(const std::vector<T>& a, T a_weight, const std::vector<T>& b,
                            T b_weight) {
  std::vector<T> y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = a_weight * a[i] + b_weight * b[i];
  return y;
}

template <class T>
std::vector<std::vector<T>> weighted_sum_backward(const std::vector<T>& dy, T a_weight,
                                                  T b_weight) {
  const std::vector<T> zero(dy.size());
  return {weighted_sum(dy, a_weight, zero, T(0)), weighted_sum(dy, b_weight, zero, T(0))};
}

// draws: uniform in [0, 1), one per element. What is drawn below `rate` becomes zero, the rest
// grows by 1 / (1 - rate).
template <class T>
std::vector<T> dropout(const std::vector<T>& x, const std::vector<float>& draws, float rate) {
  std::vector<T> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = draws[i] < rate ? T(0) : x[i] * T(1.0f / (1.0f - rate));
  }
  return y;
}

// The map is linear: its transpose is itself.
template <class T>
std::vector<std::vector<T>> dropout_backward(const std::vector<T>& dy,
                                             const std::vector<float>& draws, float rate) {
  return {dropout(dy, draws, rate)};
}

}  // namespace pare::reference
