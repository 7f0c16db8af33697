// The dense layer: three products (kernels/dense.h) and the column sums of the bias.
#include "framework/kernels/dense.h"

#include "framework/kernels/columns.h"
#include "framework/ops/ops.h"

namespace pare {

Variable dense(const Variable& x, const Variable& weight, const Variable& bias) {
  PARE_ENSURE(x.shape().rank() == 2 && weight.shape().rank() == 2);
  const std::int64_t B = x.shape()[0], in = x.shape()[1], out = weight.shape()[0];
  PARE_ENSURE(weight.shape()[1] == in && (!bias.defined() || bias.shape() == Shape{out}));

  const DenseExtents e{B, in, out};

  Tensor y(Shape{B, out});
  dense_forward(e, x.value().data(), weight.value().data(),
                bias.defined() ? bias.value().data() : nullptr, y.mutable_data());

  const Tensor xv = x.value(), wv = weight.value();
  return record("dense", y, {x, weight, bias}, [=](const Tensor& dy, Gradients& gradients) {
    if (gradients.wants(0)) {
      const auto [dx, beta] = gradients.slot(0);
      dense_input_gradient(e, dy.data(), wv.data(), dx, beta);
    }
    if (gradients.wants(1)) {
      const auto [dw, beta] = gradients.slot(1);
      dense_weight_gradient(e, xv.data(), dy.data(), dw, beta);
    }
    if (gradients.wants(2)) {
      const auto [db, beta] = gradients.slot(2);
      bias_gradient(dy.data(), B, out, db, beta);
    }
  });
}

}  // namespace pare
