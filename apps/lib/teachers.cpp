#include "apps/lib/teachers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/lib/recognize.h"
#include "compression/network_json.h"
#include "framework/base/error.h"

namespace pare {
namespace {

// The extents of one image, or the number of classes.
std::string extents(const Shape& shape) { return shape.without_batch().to_string(); }

void require_fit(const std::string& name, const std::string& path, const Network& teacher,
                 const Network& student) {
  const auto expect = [&](const char* what, const std::string& of_teacher,
                          const std::string& of_student) {
    if (of_teacher == of_student) return;
    throw ConfigError(fmt::format(
        "compression.{}.teacher.checkpoint: the teacher of {} has {} {}, expected the network's "
        "own, {}; a teacher must read the same images and know the same classes",
        name, path, what, of_teacher, of_student));
  };
  expect("the input", extents(teacher.shape_of(kInputNode)), extents(student.shape_of(kInputNode)));
  expect("the output", extents(teacher.shape_of(teacher.output())),
         extents(student.shape_of(student.output())));
}

// Errors say which key of the config named the file.
Network read_teacher(const std::string& name, const std::string& path) {
  try {
    if (std::filesystem::is_directory(path)) {
      const KeptCheckpoint kept = kept_checkpoint(path);
      return network_of(kept.checkpoint, kept.path);
    }
    return network_of(load_checkpoint(path), path);
  } catch (const DataError& error) {
    throw DataError(
        fmt::format("compression.{}.teacher.checkpoint: {}", name, error.what()));
  }
}

}  // namespace

Network copy_of(const Network& network) {
  Snapshot values;
  collect(values, "", [&](StateVisitor& v) { network.visit_state(v); });
  return network_of(describe_network(network), values, "", "copy");
}

Teachers::Teachers(const RunConfig& run) {
  for (const PhaseConfig& phase : run.phases) {
    for (const std::string& name : phase.apply) {
      const auto* distill = std::get_if<DistillConfig>(&run.method(name).options);
      if (distill) wanted_.emplace(name, *distill);
    }
  }
}

void Teachers::load_missing(const Network& student) {
  for (const auto& [name, config] : wanted_) {
    if (!config.teacher.checkpoint || networks_.contains(name)) continue;
    Network teacher = read_teacher(name, *config.teacher.checkpoint);
    require_fit(name, *config.teacher.checkpoint, teacher, student);
    networks_.emplace(name, std::move(teacher));
  }
}

void Teachers::end_phase(const PhaseConfig& phase, const Network& network) {
  for (const auto& [name, config] : wanted_) {
    if (config.teacher.phase == phase.name) networks_.insert_or_assign(name, copy_of(network));
  }
}

void Teachers::introduce(const ActiveMethods& methods) {
  for (const ActiveMethods::Active& active : methods.active()) {
    auto* distill = dynamic_cast<DistillMethod*>(active.method.get());
    if (distill) distill->learn_from(networks_.at(active.name));
  }
}

void Teachers::save(Checkpoint& checkpoint) {
  for (auto& [name, network] : networks_) {
    network.release();
    checkpoint.teachers[name] = describe_network(network);
    collect(checkpoint.arrays, kTeacherArrays + name + "/",
            [&n = network](StateVisitor& v) { n.visit_state(v); });
  }
}

void Teachers::restore(const Checkpoint& checkpoint, const std::string& what) {
  networks_.clear();
  for (const auto& [name, description] : checkpoint.teachers.items()) {
    if (!wanted_.contains(name)) throw DataError(what + ": a teacher '" + name + "' of no method");
    const std::string prefix = kTeacherArrays + name + "/";
    networks_.emplace(name, network_of(description, checkpoint.arrays, prefix, what));
  }
}

}  // namespace pare
