// Reference kernels of the dense layer: plain loops on a scalar type. They are the definition of
// what the fast kernels compute; tests gradient-check them in double and compare the fast kernels
// with them. Nothing else uses them.
#pragma once

#include <cstdint>
#include <vector>

namespace pare::reference {

struct DenseShape {
  std::int64_t batch = 1, in = 1, out = 1;
};

// y[b, o] = bias[o] + sum_i x[b, i] * weight[o, i]; an empty bias counts as zero.
template <class T>
std::vector<T> dense(const DenseShape& s, const std::vector<T>& x, const std::vector<T>& weight,
                     const std::vector<T>& bias) {
  std::vector<T> y(s.batch * s.out);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t o = 0; o < s.out; ++o) {
      T sum = bias.empty() ? T(0) : bias[o];
      for (std::int64_t i = 0; i < s.in; ++i) sum += x[b * s.in + i] * weight[o * s.in + i];
      y[b * s.out + o] = sum;
    }
  }
  return y;
}

// {dx, dweight, dbias}: dx = dy * weight, dweight = dy^T * x, dbias = column sums of dy.
template <class T>
std::vector<std::vector<T>> dense_backward(const DenseShape& s, const std::vector<T>& x,
                                           const std::vector<T>& weight, const std::vector<T>& dy) {
  std::vector<T> dx(x.size()), dweight(weight.size()), dbias(s.out);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t o = 0; o < s.out; ++o) {
      const T d = dy[b * s.out + o];
      dbias[o] += d;
      for (std::int64_t i = 0; i < s.in; ++i) {
        dx[b * s.in + i] += d * weight[o * s.in + i];
        dweight[o * s.in + i] += d * x[b * s.in + i];
      }
    }
  }
  return {dx, dweight, dbias};
}

}  // namespace pare::reference
