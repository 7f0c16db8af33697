#include "compression/distill_method.h"

#include "framework/base/error.h"
#include "framework/config/object.h"

namespace pare {

void TeacherConfig::describe(config::Object& o) {
  o.text("phase", phase, "name of an earlier phase: the network as it ended");
  o.text("checkpoint", checkpoint, "path of a checkpoint, or of a run's folder");
  if (o.given("phase") == o.given("checkpoint")) {
    o.fail("", "expected either 'phase' or 'checkpoint'");
  }
}

void DistillConfig::describe(config::Object& o) {
  o.object("teacher", teacher, "whose logits the network learns");
  o.require("teacher");
  o.field("temperature", temperature, schedule_type(ScheduleUse::factor),
          "T, by which both logits are divided; 1 for few bits");
  o.real("alpha", alpha, {.min = 0, .max = 1},
         "share of the teacher: alpha T^2 KL + (1 - alpha) loss");
  if (temperature.from <= 0 || temperature.target() <= 0) {
    o.fail("temperature", "expected temperatures above 0");
  }
}

void DistillMethod::before_step(const MethodStep& step) {
  temperature_ = step.applied_here ? config_.temperature.at(step.step, step.span)
                                   : config_.temperature.target();
}

Variable DistillMethod::loss(const StepOutput& output) {
  PARE_ENSURE(teacher_ != nullptr);
  Tensor teacher;
  {
    const NoGradient no_gradient;
    teacher = teacher_->forward(Variable(output.images), pass_).value();
  }
  const Variable distance = distillation_loss(output.logits, teacher, temperature_);
  return weighted_sum(distance, config_.alpha, output.loss, 1 - config_.alpha);
}

}  // namespace pare
