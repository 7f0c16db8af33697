// Reference kernels of batch normalisation over the last axis (Ioffe and Szegedy 2015, "Batch
// Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift"): plain
// loops on a scalar type, the definition of what the fast kernels compute. x is seen as [rows,
// channels].
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace pare::reference {

template <class T>
struct Moments {
  std::vector<T> mean, variance;  // biased: divided by the number of rows
};

template <class T>
Moments<T> moments(std::int64_t channels, const std::vector<T>& x) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / channels;
  Moments<T> m{std::vector<T>(channels), std::vector<T>(channels)};
  for (std::size_t i = 0; i < x.size(); ++i) m.mean[i % channels] += x[i] / T(rows);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T d = x[i] - m.mean[i % channels];
    m.variance[i % channels] += d * d / T(rows);
  }
  return m;
}

// (x - mean) / sqrt(variance + epsilon)
template <class T>
std::vector<T> normalised(const std::vector<T>& x, const Moments<T>& m, T epsilon) {
  const std::size_t channels = m.mean.size();
  std::vector<T> n(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels;
    n[i] = (x[i] - m.mean[c]) / std::sqrt(m.variance[c] + epsilon);
  }
  return n;
}

// y = normalised * scale + shift
template <class T>
std::vector<T> batch_norm(const std::vector<T>& x, const std::vector<T>& scale,
                          const std::vector<T>& shift, const Moments<T>& m, T epsilon) {
  std::vector<T> y = normalised(x, m, epsilon);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = y[i] * scale[i % scale.size()] + shift[i % scale.size()];
  }
  return y;
}

// {dx, dscale, dshift} with the moments as constants.
template <class T>
std::vector<std::vector<T>> batch_norm_fixed_backward(const std::vector<T>& x,
                                                      const std::vector<T>& scale,
                                                      const Moments<T>& m, T epsilon,
                                                      const std::vector<T>& dy) {
  const std::size_t channels = scale.size();
  const std::vector<T> n = normalised(x, m, epsilon);
  std::vector<T> dx(x.size()), dscale(channels), dshift(channels);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels;
    dscale[c] += dy[i] * n[i];
    dshift[c] += dy[i];
    dx[i] = dy[i] * scale[c] / std::sqrt(m.variance[c] + epsilon);
  }
  return {dx, dscale, dshift};
}

// {dx, dscale, dshift} with the moments of the batch itself:
// dx = scale / sqrt(variance + epsilon) * (dy - mean(dy) - n * mean(dy * n)).
template <class T>
std::vector<std::vector<T>> batch_norm_train_backward(const std::vector<T>& x,
                                                      const std::vector<T>& scale, T epsilon,
                                                      const std::vector<T>& dy) {
  const std::size_t channels = scale.size();
  const T rows = T(x.size() / channels);
  const Moments<T> m = moments(static_cast<std::int64_t>(channels), x);
  const std::vector<T> n = normalised(x, m, epsilon);
  auto gradients = batch_norm_fixed_backward(x, scale, m, epsilon, dy);
  std::vector<T>& dx = gradients[0];
  const std::vector<T>& dscale = gradients[1];
  const std::vector<T>& dshift = gradients[2];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels;
    const T factor = scale[c] / std::sqrt(m.variance[c] + epsilon);
    dx[i] -= factor * (dshift[c] / rows + n[i] * dscale[c] / rows);
  }
  return gradients;
}

}  // namespace pare::reference
