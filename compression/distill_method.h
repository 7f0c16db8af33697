// "kind": "distill": a teacher's logits beside the labels.
//
// loss = alpha T^2 KL(softmax(teacher / T) || softmax(logits / T)) + (1 - alpha) loss: Hinton et
// al. 2015, "Distilling the knowledge in a neural network", section 2. The teacher is a network in
// evaluation mode; it sees the augmented batch that the student sees, and costs one forward pass a
// step. Nothing is attached to the student.
#pragma once

#include <optional>

#include "compression/method.h"

namespace pare {

// Where the teacher comes from: exactly one of the two.
struct TeacherConfig {
  std::optional<std::string> phase;       // the network at the end of that phase of this run
  std::optional<std::string> checkpoint;  // a checkpoint's network
  void describe(config::Object& o);
};

struct DistillConfig {
  TeacherConfig teacher;
  Schedule temperature = Schedule::constant(4);
  double alpha = 0.5;
  void describe(config::Object& o);
};

class DistillMethod final : public Method {
 public:
  explicit DistillMethod(DistillConfig config) : config_(std::move(config)) {}

  // `teacher` must outlive the method's steps; shapes as the student's.
  void learn_from(Network& teacher) { teacher_ = &teacher; }

  void attach(Network&) override {}
  void adopt(Network&) override {}
  void release(Network&) override {}
  void before_step(const MethodStep& step) override;
  Variable loss(const StepOutput& output) override;
  bool at_target() const override { return true; }
  std::string status() const override { return "distilled"; }
  void visit_state(const std::string&, StateVisitor&) override {}

 private:
  DistillConfig config_;
  double temperature_ = 0;  // of the step at hand
  Network* teacher_ = nullptr;
  Pass pass_ = Pass::begin(Pass::Mode::evaluate, 1, 0);  // one for all steps: it never changes
};

}  // namespace pare
