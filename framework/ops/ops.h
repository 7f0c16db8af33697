// The ops of the autograd graph: free functions from Variables to a Variable.
//
// Images are [batch, height, width, channels] (NHWC). Every op has a reference kernel on a scalar
// alias in framework/reference/, which tests check against finite differences in double, and a fast
// kernel that tests check against the reference. One source file per family; the backward closure
// stands below the forward computation.
#pragma once

#include <cstdint>
#include <span>

#include "framework/autograd/variable.h"
#include "framework/ops/rectifier.h"
#include "framework/ops/window.h"
#include "framework/parameter.h"
#include "framework/random.h"

namespace pare {

// y = x * weight^T + bias.  x [B, in], weight [out, in], bias [out] or undefined -> [B, out]
Variable dense(const Variable& x, const Variable& weight, const Variable& bias);

// x [B, H, W, C], weight [out, kh, kw, C / groups], bias [out] or undefined -> [B, OH, OW, out]
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                const Window& window, std::int64_t groups = 1);

// weight [1, kh, kw, C * multiplier]; output channel c reads input channel c / multiplier.
Variable depthwise_conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                          const Window& window);

// The gradient goes to the first maximum of a window. A window sees only pixels inside the image.
Variable max_pool2d(const Variable& x, const Window& window);
// Divides by the number of taps inside the image.
Variable average_pool2d(const Variable& x, const Window& window);
// [B, H, W, C] -> [B, 1, 1, C]
Variable global_average_pool2d(const Variable& x);

// Over the last axis. Statistics of the batch (biased variance) are returned through mean and
// variance ([C] each). With a rectifier behind: the bits of both ops in the passes of one.
Variable batch_norm_train(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, Tensor& mean, Tensor& variance,
                          Rectifier behind = Rectifier::none);
// With given statistics, constants of the graph.
Variable batch_norm_fixed(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, const Tensor& mean, const Tensor& variance,
                          Rectifier behind = Rectifier::none);

Variable relu(const Variable& x);
Variable relu6(const Variable& x);
Variable sigmoid(const Variable& x);
Variable tanh(const Variable& x);
Variable softmax(const Variable& x);  // over the last axis

Variable add(const Variable& a, const Variable& b);  // same shapes
// [B, ...] -> [B, product]
Variable flatten(const Variable& x);
// Zeroes each value with probability `rate` and scales the others by 1 / (1 - rate). Element i of
// the batch draws from Random(seed, Stream::dropout, step, name): a function of position, not of
// threads.
Variable dropout(const Variable& x, float rate, std::uint64_t seed, std::uint64_t step,
                 std::uint32_t name);

// Mean over the batch of -sum_c target_c * log softmax(x)_c, target = (1 - smoothing) * one_hot +
// smoothing / C. Returns [1].
Variable softmax_cross_entropy(const Variable& logits, std::span<const std::int32_t> labels,
                               float smoothing = 0);
// Mean over batch and classes of (x - one_hot)^2. Returns [1].
Variable mean_squared_error(const Variable& x, std::span<const std::int32_t> labels);
// Mean over the batch of T^2 sum_c p_c (log p_c - log q_c), p = softmax(teacher / T), q =
// softmax(logits / T): Hinton et al. 2015, "Distilling the knowledge in a neural network", section
// 2; T^2 keeps the gradient's size whatever T is. The teacher's logits are constants. Returns [1].
Variable distillation_loss(const Variable& logits, const Tensor& teacher, double temperature);

// a_weight * a + b_weight * b; same shapes.
Variable weighted_sum(const Variable& a, double a_weight, const Variable& b, double b_weight);

}  // namespace pare
