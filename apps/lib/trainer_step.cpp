// One update: batch, forward, loss, backward, the methods' turns in between, the new weights.
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "apps/lib/diverged.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/trainer.h"

namespace pare {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

double Trainer::learning_rate(std::int64_t step) const {
  return courses_[state_.phase].at(phase().optimizer.learning_rate, step);
}

MethodStep Trainer::method_step() {
  const Regularization& added = phase().optimizer.regularization;
  MethodStep step{.span = span(),
                  .step = state_.step,
                  .run_step = static_cast<std::uint64_t>(state_.run_step),
                  .seed = run_.seed,
                  .applied_here = false,
                  .learning_rate = state_.step < span().steps ? learning_rate(state_.step) : 0,
                  .regularized = added.weight_decay > 0 || added.l1 > 0 || added.group_lasso > 0};
  step.visit_moments = [this](const Parameter& parameter,
                              const std::function<void(Tensor&)>& visit) {
    optimizer_->visit_moments(parameter, visit);
  };
  step.rewind = [this] { rewind(); };
  return step;
}

void Trainer::rewind() {
  rewind_point_.restore([&](StateVisitor& v) { visit_network(v); });
  make_phase_optimizer();
}

void Trainer::train_step() {
  const double start = now();
  rewind_point_.pass(state_.run_step, [&](StateVisitor& v) { visit_network(v); });
  const Batch& batch =
      batches_.get(state_.run_step / batches_.per_epoch(), state_.run_step % batches_.per_epoch());
  methods_.before_step(method_step());
  const auto run_step = static_cast<std::uint64_t>(state_.run_step);
  const Variable logits = network_.forward(
      Variable(batch.images), Pass::begin(Pass::Mode::train, run_.seed, run_step), methods_.tap());
  const Variable loss = methods_.loss({.images = batch.images,
                                       .logits = logits,
                                       .loss = loss_of(phase().loss, logits, batch.labels)});
  const float value = loss.value().item();
  if (!std::isfinite(value)) {
    throw DivergedError(fmt::format(
        "phase '{}', step {}: the loss is {}; the first number that is not finite is in {}. "
        "No weight was changed by it; try a smaller learning rate or a clip_norm",
        phase().name, state_.step, value, first_bad_output(network_, batch, run_.seed, run_step)));
  }
  state_.correct += count_correct(logits.value(), batch.labels);
  backward_and_update(loss);

  state_.loss_sum += value;
  state_.images += batch.count();
  ++state_.updates;
  ++state_.step;
  ++state_.run_step;
  seconds_ += now() - start;
  timed_images_ += batch.count();
  const std::int64_t every = run_.report.telemetry;
  if (every > 0 && state_.run_step % every == 0) measure();
  events_.step({.phase = phase(),
                .epoch = (state_.rows.empty() ? 0 : state_.rows.back().epoch) + 1,
                .run_step = state_.run_step,
                .loss = state_.loss_sum / static_cast<double>(state_.updates),
                .images_per_second = static_cast<double>(timed_images_) / seconds_});
}

void Trainer::backward_and_update(const Variable& loss) {
  backward(loss);
  if (const std::string path = first_bad_gradient(network_); !path.empty()) {
    throw DivergedError(fmt::format(
        "phase '{}', step {}: the gradient of '{}' is not finite. No weight was changed by it; "
        "try a smaller learning rate",
        phase().name, state_.step, path));
  }
  methods_.after_backward(method_step());
  optimizer_->step(learning_rate(state_.step));
  methods_.after_step(method_step());
}

}  // namespace pare
