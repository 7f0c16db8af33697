// The dense layer: three matrix products and the column sums of the bias.
#include <algorithm>

#include "framework/kernels/columns.h"
#include "framework/kernels/gemm.h"
#include "framework/ops/ops.h"

namespace pare {

Variable dense(const Variable& x, const Variable& weight, const Variable& bias) {
  PARE_ENSURE(x.shape().rank() == 2 && weight.shape().rank() == 2);
  const std::int64_t B = x.shape()[0], in = x.shape()[1], out = weight.shape()[0];
  PARE_ENSURE(weight.shape()[1] == in && (!bias.defined() || bias.shape() == Shape{out}));

  Tensor y(Shape{B, out});
  float* sums = y.mutable_data();
  for (std::int64_t b = 0; b < B && bias.defined(); ++b) {
    std::copy_n(bias.value().data(), out, sums + b * out);
  }
  gemm(Transpose::no, Transpose::yes, B, out, in, x.value().data(), in, weight.value().data(), in,
       bias.defined() ? 1.0f : 0.0f, sums, out);

  const Tensor xv = x.value(), wv = weight.value();
  return record("dense", y, {x, weight, bias}, [=](const Tensor& dy, Gradients& gradients) {
    const float* d = dy.data();
    if (gradients.wants(0)) {  // dx [B, in] = dy * weight
      const auto [dx, beta] = gradients.slot(0);
      gemm(Transpose::no, Transpose::no, B, in, out, d, out, wv.data(), in, beta, dx, in);
    }
    if (gradients.wants(1)) {  // dweight [out, in] = dy^T * x
      const auto [dw, beta] = gradients.slot(1);
      gemm(Transpose::yes, Transpose::no, out, in, B, d, out, xv.data(), in, beta, dw, in);
    }
    if (gradients.wants(2)) {
      const auto [db, beta] = gradients.slot(2);
      bias_gradient(d, B, out, db, beta);
    }
  });
}

}  // namespace pare
